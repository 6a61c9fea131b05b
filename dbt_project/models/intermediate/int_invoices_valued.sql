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

superseding as (
    select * from {{ ref('stg_config__superseded_invoices') }}
),

-- Nothing is superseded by an invoice that is not there, not issued, or void.
counting as (
    select
        invoice_key,
        connection,
        upper(trim(invoice_number)) as number,
        currency_code,
        gross_amt
    from invoices
    where status not in ('draft', 'void') and superseded_by is null
),

superseded as (
    select
        invoice_key,
        min(superseded_by) as superseded_by
    from (
        select
            superseding.invoice_key,
            superseding.superseded_by
        from superseding
        inner join counting on superseding.superseded_by = counting.invoice_key
        union all
        select
            invoices.invoice_key,
            counting.invoice_key as superseded_by
        from superseding
        inner join invoices on superseding.connection = invoices.connection
        inner join counting
            on
                superseding.superseded_by = counting.connection
                and upper(trim(invoices.invoice_number)) = counting.number
                and invoices.currency_code = counting.currency_code
                and invoices.gross_amt = counting.gross_amt
    ) as pairs
    group by invoice_key
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
        invoices.* exclude (service_start, service_end, superseded_by),
        coalesce(invoices.superseded_by, superseded.superseded_by) as superseded_by,
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
    left join superseded on invoices.invoice_key = superseded.invoice_key
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
