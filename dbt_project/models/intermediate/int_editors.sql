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

users as (
    select * from {{ ref('int_editors_unioned') }}
),

named as (
    select * from owners
    union all
    select * from users
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
