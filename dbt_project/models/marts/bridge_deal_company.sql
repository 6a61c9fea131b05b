-- Grain: one row per deal, company, role and interval.

<<<<<<< Updated upstream
with members as (
    select * from {{ ref('int_deal_companies_unioned') }}
=======
with associations as (
    select * from {{ ref('int_deal_associations') }}
    where kind = 'company'
),

identities as (
    select record_key, company_key
    from {{ ref('int_company_identities') }}
>>>>>>> Stashed changes
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

<<<<<<< Updated upstream
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
=======
final as (
    select
        concat(
            associations.deal_key, ':', associations.member_key, ':', associations.role, ':',
            epoch_us(associations.valid_from), case when not associations.is_primary then ':s' end
        ) as deal_company_key,
        associations.deal_key,
        coalesce(survivors.survivor_deal_key, associations.deal_key) as survivor_deal_key,
        coalesce(identities.company_key, associations.member_key) as company_key,
        associations.member_key as source_company_key,
        associations.role,
        associations.is_primary,
        associations.valid_to is null as is_current,
        associations.valid_from,
        associations.valid_to,
        associations.is_deleted,
        associations.source_system,
        associations.connection,
        associations.raw_version_id
    from associations
    left join identities
        on associations.member_key = identities.record_key
    left join survivors
        on associations.deal_key = survivors.deal_key
>>>>>>> Stashed changes
)

select * from final
