-- Grain: one row per rule about streams and references (S-01 to S-18) x stream or record that
-- breaks it, at the as-of. Rules on the landed text itself are Great Expectations' (S-12 to S-14).

with runs as (
    select * from {{ ref('mart_source_health') }}
),

newest_runs as (
    select * from runs
    where is_newest
),

-- Times at which a stream brought anything new, and how long it was quiet between them.
news as (
    select
        source_system,
        connection,
        stream,
        ended_at,
        {{ seconds_between(
            'lag(ended_at) over (partition by source_system, connection, stream order by ended_at)',
            'ended_at'
        ) }} / 3600.0 as quiet_hours
    from runs
    where new_versions_n > 0
),

habits as (
    select
        source_system,
        connection,
        stream,
        max(ended_at) as last_news_at,
        quantile_cont(quiet_hours, 0.99) as usual_quiet_hours,
        count(quiet_hours) as n_gaps
    from news
    group by source_system, connection, stream
),

deals as (
    select * from {{ ref('fct_deal') }}
    where not is_deleted
),

invoices as (
    select * from {{ ref('fct_invoice') }}
    where not is_deleted
),

-- Each reference that a record makes, and whether it leads anywhere.
pointers as (
    select
        'deal.owner' as reference_name,
        source_system,
        connection,
        owner_user_key is not null as is_made,
        owner_user_key = 'unknown' as is_orphan
    from deals
    union all
    select
        'deal.stage',
        deals.source_system,
        deals.connection,
        deals.stage_key is not null,
        stages.stage_key is null
    from deals
    left join (select distinct stage_key from {{ ref('dim_stage') }}) as stages
        on deals.stage_key = stages.stage_key
    union all
    select
        'deal.company',
        deals.source_system,
        deals.connection,
        deals.company_key is not null,
        companies.company_key is null
    from deals
    left join (select distinct company_key from {{ ref('dim_company') }}) as companies
        on deals.company_key = companies.company_key
    union all
    select
        'invoice.customer',
        invoices.source_system,
        invoices.connection,
        invoices.company_key is not null,
        companies.company_key is null
    from invoices
    left join (select distinct company_key from {{ ref('dim_company') }}) as companies
        on invoices.company_key = companies.company_key
),

orphans as (
    select
        reference_name,
        source_system,
        connection,
        count(*) as n_made,
        count(*) filter (where is_orphan) as n_orphans
    from pointers
    where is_made
    group by reference_name, source_system, connection
    having count(*) filter (where is_orphan) > 0
),

-- Two people by the vendor's own word (merges and one address each are settled before).
shared_addresses as (
    select
        email,
        count(*) as n_contacts
    from {{ ref('int_contacts_current') }}
    where email is not null and not is_deleted
    group by email, connection
    having count(*) > 1
),

shared_domains as (
    select
        domain,
        count(*) as n_companies
    from {{ ref('int_companies_current') }}
    where
        domain is not null
        and not is_deleted
        and domain not in (select domain from {{ ref('free_mail_domains') }})
    group by domain, connection
    having count(*) > 1
),

churn as (
    select
        connection,
        'deal' as record_type,
        deal_key as record_key,
        {{ company_date('observed_at') }} as seen_date,
        count(*) as n_versions
    from {{ ref('int_deals_unioned') }}
    group by connection, deal_key, {{ company_date('observed_at') }}
    having count(*) > {{ var('flapping_versions', 50) }}
    union all
    select
        connection,
        'contact',
        contact_key,
        {{ company_date('observed_at') }},
        count(*)
    from {{ ref('int_contacts_unioned') }}
    group by connection, contact_key, {{ company_date('observed_at') }}
    having count(*) > {{ var('flapping_versions', 50) }}
    union all
    select
        connection,
        'company',
        company_key,
        {{ company_date('observed_at') }},
        count(*)
    from {{ ref('int_companies_unioned') }}
    group by connection, company_key, {{ company_date('observed_at') }}
    having count(*) > {{ var('flapping_versions', 50) }}
),

-- Words for the state of an order or a case that are none of the source's own.
strange_words as (
    select
        'order' as record_type,
        connection,
        vendor_status,
        count(*) as n_records
    from {{ ref('fct_order') }}
    where is_status_assumed and not is_deleted
    group by connection, vendor_status
    union all
    select
        'case',
        connection,
        vendor_status,
        count(*)
    from {{ ref('fct_ticket') }}
    where is_status_assumed and not is_deleted
    group by connection, vendor_status
),

polled_moves as (
    select
        connection,
        count(*) as n_moves,
        count(*) filter (where change_precision = 'poll') as n_polled
    from {{ ref('fct_deal_change') }}
    where field = 'stage' and change_precision in ('exact', 'poll')
    group by connection
),

any_fresh as (
    select count(*) as n_fresh
    from newest_runs
    where not is_stale and stale_after_hours is not null
),

broken as (
    select
        'S-01' as check_id,
        -- The others' news must not wait for one that is down; without any there is nothing to tell.
        case
            when last_complete_at is null or (select any_fresh.n_fresh from any_fresh) > 0
                then 'warn'
            else 'error'
        end as severity,
        'stream' as record_type,
        concat_ws('.', connection, stream) as record_key,
        null as deal_key,
        cast(lag_hours as double) as value,
        cast(stale_after_hours as double) as limit_value,
        case
            when last_complete_at is null then 'never synced completely' else
                'not synced completely for too long'
        end as detail
    from newest_runs
    where is_stale
    union all
    select
        'S-02',
        'warn',
        'stream',
        concat_ws('.', connection, stream),
        null,
        cast({{ seconds_between('last_news_at', as_of_at()) }} / 3600.0 as double),
        cast(usual_quiet_hours as double),
        'brought nothing new for longer than it usually does'
    from habits
    where
        n_gaps >= {{ var('quiet_min_gaps', 20) }}
        and {{ seconds_between('last_news_at', as_of_at()) }} / 3600.0 > usual_quiet_hours
    union all
    select
        'S-04',
        'error',
        'stream',
        concat_ws('.', connection, stream),
        null,
        cast(rows_seen_n as double),
        cast(control_total_n as double),
        'a complete read showed fewer records than the vendor counts'
    from newest_runs
    -- What changes while pages are read may leave or enter the count.
    where control_shortfall_n > greatest(10, 0.005 * control_total_n)
    union all
    select
        'S-05',
        'warn',
        'stream',
        concat_ws('.', connection, stream),
        null,
        cast(live_records_n as double),
        cast(control_total_n as double),
        concat(quarantined_n, ' records were set aside and are missing here')
    from newest_runs
    where quarantined_n > 0
    union all
    select
        'S-08',
        case when mapped_drift is not null then 'error' else 'warn' end,
        'stream',
        concat_ws('.', connection, stream),
        null,
        cast(len(string_split(schema_drift, ', ')) as double),
        cast(0 as double),
        concat('fields changed: ', left(schema_drift, 300))
    from newest_runs
    where schema_drift is not null
    union all
    select
        'S-09',
        case
            -- Vtiger shows nobody who has left: their deals belong to the unknown member.
            when source_system = 'vtiger' and reference_name = 'deal.owner' then 'warn'
            -- A handful are strays, whatever their share: they have their unknown member.
            when n_orphans >= 10 and n_orphans > 0.005 * n_made then 'error'
            else 'warn'
        end,
        'reference',
        concat_ws('.', connection, reference_name),
        null,
        cast({{ ratio('n_orphans', 'n_made') }} as double),
        cast(0.005 as double),
        concat(n_orphans, ' of ', n_made, ' lead nowhere')
    from orphans
    union all
    select
        'S-10',
        'warn',
        'contact',
        email,
        null,
        cast(n_contacts as double),
        cast(1 as double),
        'several contacts share one address'
    from shared_addresses
    union all
    select
        'S-10',
        'warn',
        'company',
        domain,
        null,
        cast(n_companies as double),
        cast(1 as double),
        'several companies share one domain'
    from shared_domains
    union all
    select
        'S-11',
        'warn',
        record_type,
        concat(record_key, '|', seen_date),
        case when record_type = 'deal' then record_key end,
        cast(n_versions as double),
        cast({{ var('flapping_versions', 50) }} as double),
        'a field flaps: many versions in one day'
    from churn
    union all
    select
        'S-17',
        'warn',
        'connection',
        connection,
        null,
        cast({{ ratio('n_polled', 'n_moves') }} as double),
        cast(0.5 as double),
        'most stage changes are known by polling only: sync more often for exact stage times'
    from polled_moves
    where n_moves > 0 and n_polled > 0.5 * n_moves
    union all
    select
        'S-18',
        'warn',
        record_type,
        concat_ws('.', connection, coalesce(vendor_status, 'none')),
        null,
        cast(n_records as double),
        cast(0 as double),
        case record_type
            when 'order' then concat(n_records, ' of this state count as confirmed')
            else concat(n_records, ' of this state count as open')
        end
    from strange_words
),

final as (
    select
        check_id,
        severity,
        record_type,
        cast(record_key as varchar) as record_key,
        cast(deal_key as varchar) as deal_key,
        value,
        limit_value,
        detail,
        {{ as_of_at() }} as since_at
    from broken
)

select * from final
