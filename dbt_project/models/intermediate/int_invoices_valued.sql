-- Grain: one row per invoice as it stands, with company, service period and value in the
-- reporting currency: the document's own rate, else the spot rate of the issue date.

with invoices as (
    select * from {{ ref('int_invoices_current') }}
),

companies as (
    select * from {{ ref('int_invoice_companies') }}
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc,
        source
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

service_periods as (
    select
        invoice_key,
        min(service_start) as service_start,
        max(service_end) as service_end
    from {{ ref('int_invoice_lines_current') }}
    where service_end > service_start
    group by invoice_key
),

rated as (
    select
        invoices.* exclude (service_start, service_end),
        companies.company_key,
        companies.match_method as company_match_method,
        coalesce(invoices.document_rate_to_rc, rates.rate_to_rc) as rate_to_rc,
        case
            when invoices.document_rate_to_rc is not null then 'document'
            when rates.rate_to_rc is not null then 'spot'
        end as rate_source,
        -- The period of the lines: the document's own period is only its posting window.
        coalesce(service_periods.service_start, invoices.service_start) as service_start,
        coalesce(service_periods.service_end, invoices.service_end) as service_end
    from invoices
    left join companies on invoices.invoice_key = companies.invoice_key
    left join rates
        on invoices.currency_code = rates.currency_code and invoices.issue_date = rates.rate_date
    left join service_periods on invoices.invoice_key = service_periods.invoice_key
),

final as (
    select
        rated.*,
        {{ convert_money('rated.net_amt', 'rated.rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }} as net_rc,
        -- An invoice that another billing system also holds is not billed twice.
        rated.status <> 'draft' and rated.superseded_by is null as is_billable
    from rated
)

select * from final
