-- Grain: one row per connection and id by which a source names who edited: a user's own id,
-- "userId:9001" as HubSpot writes it, an owner id or an address.

with owners as (
    select
        connection,
        owner_id as editor_id,
        user_key,
        2 as preference
    from {{ ref('int_user_map') }}
),

{% if has_source('hubspot') %}
users as (
    select
        connection,
        unnest([user_id, concat('userId:', user_id)]) as editor_id,
        lower(email) as user_key,
        1 as preference
    from {{ ref('stg_hubspot__owners') }}
    where user_id is not null and email is not null
),
{% endif %}

named as (
    select * from owners
    {% if has_source('hubspot') %}
    union all
    select * from users
    {% endif %}
),

final as (
    select
        connection,
        editor_id,
        arg_min(user_key, (preference, user_key)) as user_key
    from named
    group by connection, editor_id
)

select * from final
