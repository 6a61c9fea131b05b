-- Grain: one row per connection x owner id: whose it is. An e-mail address is an owner id of
-- every connection, because exports name owners by address.

with people as (
    select * from {{ ref('int_people_unioned') }}
),

newest as (
    select
        connection,
        owner_id,
        -- A later version without content still belongs to the address known before.
        arg_max(email, (observed_at, sync_id, position)) filter (where email is not null) as email
    from people
    where owner_id is not null
    group by connection, owner_id
),

addresses as (
    select distinct email
    from people
    where email is not null
    -- Somebody with a quota, a share or a deal who is in no roster is still somebody.
    union
    select lower(scope_id) as email
    from {{ ref('int_quotas_unioned') }}
    where scope_type = 'user' and contains(scope_id, '@') and not is_deleted
    union
    select user_key as email
    from {{ ref('int_deal_credits_unioned') }}
    where user_key is not null and not is_deleted
),

connections as (
    select connection from {{ ref('stg_config__connections') }}
    union
    select connection from people
),

candidates as (
    select
        connection,
        owner_id,
        coalesce(email, concat(connection, ':', owner_id)) as user_key,
        1 as preference
    from newest
    union all
    select
        connections.connection,
        addresses.email as owner_id,
        addresses.email as user_key,
        2 as preference
    from addresses
    cross join connections
),

final as (
    select
        connection,
        owner_id,
        user_key
    from candidates
    qualify
        row_number() over (partition by connection, owner_id order by preference, user_key) = 1
)

select * from final
