-- Grain: one row per activity, newest state.

with newest as (
    select *
    from {{ ref('int_activities_unioned') }}
    qualify row_number() over (
        partition by activity_key order by observed_at desc, sync_id desc, position desc
    ) = 1
),

fuller as (
    -- A deleted activity comes without a body: its last one stays.
    select *
    from {{ ref('int_activities_unioned') }}
    where change in ('upsert', 'archived')
    qualify row_number() over (
        partition by activity_key order by observed_at desc, sync_id desc, position desc
    ) = 1
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

known_deals as (
    select deal_key from {{ ref('int_deals_current') }}
),

companies as (
    select record_key, any_value(company_key) as company_key
    from {{ ref('int_company_identities') }}
    group by record_key
),

contacts as (
    select record_key, any_value(contact_key) as contact_key
    from {{ ref('int_contact_identities') }}
    where record_kind = 'contact'
    group by record_key
),

deals as (
    select
        named.activity_key,
        list_sort(list(distinct coalesce(survivors.survivor_deal_key, named.deal_key)))
            as deal_keys
    from (
        select activity_key, unnest(source_deal_keys) as deal_key from fuller
    ) as named
    left join survivors
        on named.deal_key = survivors.deal_key
    where coalesce(survivors.survivor_deal_key, named.deal_key) in (
        select deal_key from known_deals
    )
    group by named.activity_key
),

firms as (
    select
        named.activity_key,
        min(coalesce(companies.company_key, named.company_key)) as company_key
    from (
        select activity_key, unnest(source_company_keys) as company_key from fuller
    ) as named
    left join companies
        on named.company_key = companies.record_key
    group by named.activity_key
),

people as (
    select
        named.activity_key,
        list_sort(list(distinct coalesce(contacts.contact_key, named.contact_key)))
            as contact_keys
    from (
        select activity_key, unnest(source_contact_keys) as contact_key from fuller
    ) as named
    left join contacts
        on named.contact_key = contacts.record_key
    group by named.activity_key
),

users as (
    select * from {{ ref('int_user_map') }}
),

final as (
    select
        fuller.activity_key,
        fuller.activity_id,
        fuller.type,
        fuller.direction,
        fuller.subject,
        fuller.outcome,
        coalesce(users.user_key, 'unknown') as owner_user_key,
        deals.deal_keys[1] as deal_key,
        deals.deal_keys,
        firms.company_key,
        people.contact_keys,
        fuller.message_id,
        coalesce(fuller.participants_n, 0) as participants_n,
        fuller.duration_seconds,
        coalesce(fuller.done, false) as done,
        coalesce(fuller.is_two_way and fuller.done, false) as is_two_way,
        {{ company_date('fuller.occurred_at') }} as occurred_date,
        {{ company_date('fuller.due_at') }} as due_date,
        fuller.occurred_at,
        fuller.due_at,
        fuller.created_at,
        newest.is_deleted,
        fuller.source_system,
        fuller.connection,
        newest.raw_version_id
    from fuller
    inner join newest
        on fuller.activity_key = newest.activity_key
    left join deals
        on fuller.activity_key = deals.activity_key
    left join firms
        on fuller.activity_key = firms.activity_key
    left join people
        on fuller.activity_key = people.activity_key
    left join users
        on
            fuller.connection = users.connection
            and fuller.owner_id = users.owner_id
)

select * from final
