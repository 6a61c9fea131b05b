-- Grain: one row per invoice whose customer is known to the CRM: which company, and how.
--   reference  the billing system or the export names the CRM's company id
--   domain     the customer's mail domain is one company's alone; free-mail domains never
-- A company that was merged away resolves to its survivor.

with invoices as (
    select
        invoice_key,
        customer_key,
        company_reference,
        customer_email
    from {{ ref('int_invoices_current') }}
),

companies as (
    {% if has_source('hubspot') %}
        select
            company_key,
            company_id,
            connection,
            'hubspot' as source_system,
            domain,
            regexp_split_to_array(coalesce(merged_ids, ''), '[;, ]+') as merged_ids
        from {{ ref('stg_hubspot__companies') }}
        where not is_deleted and change = 'upsert'
        qualify
            row_number() over (
                partition by company_key
                order by observed_at desc, sync_id desc, position desc
            ) = 1
    {% else %}
        select
            cast(null as varchar) as company_key,
            cast(null as varchar) as company_id,
            cast(null as varchar) as connection,
            cast(null as varchar) as source_system,
            cast(null as varchar) as domain,
            cast(null as varchar[]) as merged_ids
        where false
    {% endif %}
),

company_names as (
    select
        company_id as known_id,
        connection,
        source_system,
        company_key
    from companies
    union
    select
        unnest(merged_ids),
        connection,
        source_system,
        company_key
    from companies
),

{% if has_source('stripe') %}
    customers as (
        select
            customer_key,
            company_reference,
            email
        from {{ ref('stg_stripe__customers') }}
        where not is_deleted
        qualify
            row_number() over (
                partition by customer_key
                order by observed_at desc, sync_id desc, position desc
            ) = 1
    ),
{% endif %}

known as (
    select
        invoices.invoice_key,
        invoices.company_reference as own_reference,
        {% if has_source('stripe') %}
            customers.company_reference,
            lower(split_part(coalesce(customers.email, invoices.customer_email), '@', 2))
                as mail_domain
        {% else %}
            cast(null as varchar) as company_reference,
            lower(split_part(invoices.customer_email, '@', 2)) as mail_domain
        {% endif %}
    from invoices
    {% if has_source('stripe') %}
        left join customers on invoices.customer_key = customers.customer_key
    {% endif %}
),

by_reference as (
    select
        known.invoice_key,
        min(company_names.company_key) as company_key
    from known
    inner join company_names
        on
            split_part(known.company_reference, ':', -1) = company_names.known_id
            and (
                strpos(known.company_reference, ':') = 0
                or split_part(known.company_reference, ':', 1)
                in (company_names.connection, company_names.source_system)
            )
    group by known.invoice_key
    having count(distinct company_names.company_key) = 1
),

domains as (
    select
        domain,
        min(company_key) as company_key
    from companies
    where domain is not null and domain not in (select domain from {{ ref('free_mail_domains') }})
    group by domain
    having count(distinct company_key) = 1
),

final as (
    select
        known.invoice_key,
        coalesce(by_reference.company_key, known.own_reference, domains.company_key)
            as company_key,
        case
            when by_reference.company_key is not null or known.own_reference is not null
                then 'reference'
            else 'domain'
        end as match_method
    from known
    left join by_reference on known.invoice_key = by_reference.invoice_key
    left join domains on known.mail_domain = domains.domain
    where
        coalesce(by_reference.company_key, known.own_reference, domains.company_key) is not null
)

select * from final
