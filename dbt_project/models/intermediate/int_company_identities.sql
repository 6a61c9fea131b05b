-- Grain: one row per company record with the company it stands for.
--
-- Vendor merges first. Companies of two CRMs are one where each of them has exactly one with
-- the domain. A billing customer is the CRM company that it names, else the one company that
-- owns its mail domain (free-mail domains own nobody), else itself.

with records as (
    select
        companies.*,
        coalesce(survivors.survivor_key, companies.company_key) as vendor_key
    from {{ ref('int_companies_current') }} as companies
    left join {{ ref('int_record_survivors') }} as survivors
        on companies.company_key = survivors.loser_key and survivors.record_type = 'company'
),

crm as (
    select * from records
    where not {{ is_billing_system('source_system') }}
),

owners as (
    select
        domain,
        connection,
        min(vendor_key) as vendor_key,
        min(created_at) as created_at,
        count(distinct vendor_key) as companies
    from crm
    where
        domain is not null
        and not is_deleted
        and domain not in (select domain from {{ ref('free_mail_domains') }})
    group by domain, connection
),

domains as (
    -- The record that is known longest stands for the company.
    select
        domain,
        arg_min(vendor_key, (coalesce(created_at, {{ far_future() }}), vendor_key))
            as company_key
    from owners
    group by domain
    having max(companies) = 1
),

shared as (
    -- A company with two domains in one CRM may meet two of the other: the first one counts.
    select
        owners.vendor_key,
        min(domains.company_key) as company_key
    from owners
    inner join domains on owners.domain = domains.domain
    where owners.vendor_key <> domains.company_key
    group by owners.vendor_key
),

named as (
    select
        records.company_key as record_key,
        min(crm.vendor_key) as company_key
    from records
    inner join crm
        on split_part(records.crm_reference, ':', -1) = crm.company_id
    where {{ is_billing_system('records.source_system') }}
    group by records.company_key
    having count(distinct crm.vendor_key) = 1
),

final as (
    select
        records.company_key as record_key,
        case
            when not {{ is_billing_system('records.source_system') }}
                then coalesce(shared.company_key, records.vendor_key)
            else coalesce(
                named_shared.company_key, named.company_key, domains.company_key,
                records.company_key
            )
        end as company_key,
        case
            when not {{ is_billing_system('records.source_system') }} and records.vendor_key <> records.company_key
                then 'vendor'
            when not {{ is_billing_system('records.source_system') }} and shared.company_key is not null
                then 'domain'
            when {{ is_billing_system('records.source_system') }} and named.company_key is not null
                then 'reference'
            when {{ is_billing_system('records.source_system') }} and domains.company_key is not null
                then 'domain'
            else 'itself'
        end as method
    from records
    left join named on records.company_key = named.record_key
    left join domains on records.domain = domains.domain
    left join shared on records.vendor_key = shared.vendor_key
    left join shared as named_shared on named.company_key = named_shared.vendor_key
)

select * from final
