-- Grain: one row per activity, newest state.

<<<<<<< Updated upstream
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
=======
with activities as (
    select * from {{ ref('int_activities_current') }}
>>>>>>> Stashed changes
),

deals as (
    select
<<<<<<< Updated upstream
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

=======
        deals.deal_key,
        coalesce(survivors.survivor_deal_key, deals.deal_key) as survivor_key
    from {{ ref('int_deals_current') }} as deals
    left join {{ ref('int_deal_survivors') }} as survivors
        on deals.deal_key = survivors.deal_key
),

-- Deals that were merged away before our first look are known by their survivors only.
all_deals as (
    select * from deals
    where survivor_key in (select deals.deal_key from deals)
    union all
    select
        deal_key,
        survivor_deal_key
    from {{ ref('int_deal_survivors') }}
    where
        deal_key not in (select deals.deal_key from deals)
        and survivor_deal_key in (select deals.deal_key from deals)
),

{% for kind in ['deal', 'contact', 'company'] %}
named_{{ kind }} as (
    select
        activity_key,
        unnest({{ kind }}_keys) as named_key
    from activities
    where len({{ kind }}_keys) > 0
),

{{ kind }}_lists as (
    select
        named_{{ kind }}.activity_key,
        {% if kind == 'deal' %}
        list_sort(list(distinct all_deals.survivor_key)) as known_keys
    from named_deal
    inner join all_deals
        on named_deal.named_key = all_deals.deal_key
        {% else %}
        list_sort(list(distinct coalesce(identities.{{ kind }}_key, named_{{ kind }}.named_key)))
            as known_keys
    from named_{{ kind }}
    left join {{ ref('int_' ~ kind ~ '_identities') }} as identities
        on
            named_{{ kind }}.named_key = identities.record_key
            {% if kind == 'contact' %}and identities.record_kind = 'contact'{% endif %}
        {% endif %}
    group by named_{{ kind }}.activity_key
),

{% endfor %}
>>>>>>> Stashed changes
users as (
    select * from {{ ref('int_user_map') }}
),

<<<<<<< Updated upstream
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
=======
timed as (
    select
        *,
        is_done and happens_at <= {{ as_of_at() }} as has_happened
    from activities
),

final as (
    select
        timed.activity_key,
        timed.activity_id,
        timed.type,
        timed.direction,
        timed.subject,
        timed.outcome,
        coalesce(users.user_key, 'unknown') as owner_user_key,
        deal_lists.known_keys[1] as deal_key,
        coalesce(deal_lists.known_keys, []) as deal_keys,
        company_lists.known_keys[1] as company_key,
        coalesce(contact_lists.known_keys, []) as contact_keys,
        timed.message_id,
        coalesce(timed.participants_n, 0) as participants_n,
        timed.duration_seconds,
        timed.has_happened as done,
        timed.has_happened and timed.is_two_way as is_two_way,
        case when timed.has_happened then {{ company_date('timed.happens_at') }} end
            as occurred_date,
        case when not timed.is_called_off then {{ company_date('timed.due_at') }} end as due_date,
        case when timed.has_happened then timed.happens_at end as occurred_at,
        case when not timed.is_called_off then timed.due_at end as due_at,
        timed.created_at,
        timed.is_deleted,
        timed.source_system,
        timed.connection,
        timed.raw_version_id
    from timed
    left join deal_lists
        on timed.activity_key = deal_lists.activity_key
    left join contact_lists
        on timed.activity_key = contact_lists.activity_key
    left join company_lists
        on timed.activity_key = company_lists.activity_key
    left join users
        on
            timed.connection = users.connection
            and timed.owner_id = users.owner_id
>>>>>>> Stashed changes
)

select * from final
