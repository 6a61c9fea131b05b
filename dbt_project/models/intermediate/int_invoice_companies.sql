-- Grain: one row per invoice whose customer is a known company: which one, and how.
--   reference  the billing system, or the export, names the CRM's company
--   domain     the customer's mail domain is one company's alone; free-mail domains never
--   itself     only the billing system knows this customer
-- Merged-away companies resolve to their survivor (int_company_identities).

with invoices as (
    select
        invoice_key,
        customer_key,
        company_reference,
        lower(split_part(customer_email, '@', 2)) as mail_domain
    from {{ ref('int_invoices_current') }}
),

identities as (
    select * from {{ ref('int_company_identities') }}
),

crm_companies as (
    select
        companies.company_id,
        companies.domain,
        identities.company_key
    from {{ ref('int_companies_current') }} as companies
    inner join identities on companies.company_key = identities.record_key
    where not {{ is_billing_system('companies.source_system') }} and not companies.is_deleted
),

-- An export of another system may carry the CRM's own company ids.
ids as (
    select
        company_id,
        min(company_key) as company_key
    from crm_companies
    group by company_id
    having count(distinct company_key) = 1
),

domains as (
    select
        domain,
        min(company_key) as company_key
    from crm_companies
    where
        domain is not null
        and crm_companies.domain not in (
            select free_mail_domains.domain from {{ ref('free_mail_domains') }} as free_mail_domains
        )
    group by domain
    having count(distinct company_key) = 1
),

matched as (
    select
        invoices.invoice_key,
        invoices.company_reference,
        identities.company_key as known_company_key,
        identities.method as known_method,
        ids.company_key as id_company_key,
        domains.company_key as domain_company_key
    from invoices
    left join identities on invoices.customer_key = identities.record_key
    left join ids
        on split_part(invoices.company_reference, ':', -1) = ids.company_id
    left join domains on invoices.mail_domain = domains.domain
),

final as (
    select
        invoice_key,
        case
            when known_method in ('vendor', 'reference', 'domain') then known_company_key
            -- A company of the export itself stands for itself.
            when known_method = 'itself' and company_reference is not null
                then known_company_key
            else coalesce(id_company_key, domain_company_key, known_company_key)
        end as company_key,
        case
            when known_method in ('vendor', 'reference') then 'reference'
            when known_method = 'domain' then 'domain'
            when known_method = 'itself' and company_reference is not null then 'reference'
            when id_company_key is not null then 'reference'
            when domain_company_key is not null then 'domain'
            else 'itself'
        end as match_method
    from matched
    where coalesce(known_company_key, id_company_key, domain_company_key) is not null
)

select * from final
