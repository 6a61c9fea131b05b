-- Grain: one row per surviving company and version of its own record.

with identities as (
    select * from {{ ref('int_company_identities') }}
),

survivors as (
    select
        company_key,
        count(*) as n_source_records
    from identities
    group by company_key
),

versions as (
    select
        *,
        row_number() over (
            partition by company_key order by observed_at, sync_id, position
        ) as version_no
    from {{ ref('int_companies_unioned') }}
    where change = 'upsert'
),

names as (
    select
        identities.company_key,
        list_sort(list(distinct versions.name) filter (where versions.name is not null)) as names,
        list_sort(list(distinct versions.domain) filter (where versions.domain is not null))
            as domains
    from identities
    inner join versions on identities.record_key = versions.company_key
    group by identities.company_key
),

started as (
    select
        versions.*,
        survivors.n_source_records,
        case
            when versions.version_no = 1
                then
                    least(coalesce(versions.created_at, versions.observed_at), versions.observed_at)
            else coalesce(versions.updated_at, versions.observed_at)
        end as valid_from
    from versions
    inner join survivors on versions.company_key = survivors.company_key
),

bounded as (
    select
        *,
        lead(valid_from) over (partition by company_key order by version_no) as next_from
    from started
    -- Two versions of one instant: the later one holds from then on.
    qualify
        row_number() over (
            partition by company_key, valid_from order by version_no desc
        ) = 1
),

final as (
    select
        concat(bounded.company_key, '@', {{ microseconds_of('bounded.valid_from') }}) as company_version_key,
        bounded.company_key,
        concat(bounded.connection, ':', bounded.parent_company_id) as parent_company_key,
        bounded.name,
        coalesce(names.names, cast([] as varchar[])) as names,
        bounded.domain,
        coalesce(names.domains, cast([] as varchar[])) as domains,
        bounded.industry,
        bounded.country,
        cast(bounded.n_source_records as bigint) as n_source_records,
        bounded.next_from is null as is_current,
        bounded.valid_from,
        bounded.next_from as valid_to,
        bounded.is_deleted,
        bounded.source_system,
        bounded.connection,
        bounded.raw_version_id
    from bounded
    left join names on bounded.company_key = names.company_key
)

select * from final
