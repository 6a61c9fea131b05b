-- Grain: one row per deal, company, role and interval.

with members as (
    select * from {{ ref('int_deal_companies_unioned') }}
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

identities as (
    select record_key, any_value(company_key) as company_key
    from {{ ref('int_company_identities') }}
    group by record_key
),

final as (
    select
        concat(
            members.deal_key, ':', members.company_key, ':', members.role, ':',
            epoch_ms(members.valid_from)
        ) as deal_company_key,
        members.deal_key,
        coalesce(survivors.survivor_deal_key, members.deal_key) as survivor_deal_key,
        coalesce(identities.company_key, members.company_key) as company_key,
        members.company_key as source_company_key,
        members.role,
        members.is_primary,
        members.valid_to is null as is_current,
        members.valid_from,
        members.valid_to,
        false as is_deleted,
        members.source_system,
        members.connection,
        members.raw_version_id
    from members
    left join survivors
        on members.deal_key = survivors.deal_key
    left join identities
        on members.company_key = identities.record_key
)

select * from final
