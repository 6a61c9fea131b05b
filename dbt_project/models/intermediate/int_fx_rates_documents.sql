-- Grain: one row per currency x date: the rate that the day's largest invoice says of itself.
-- Every invoice keeps its own in fct_invoice.

select
    currency_code,
    issue_date as rate_date,
    source_system,
    connection,
    raw_version_id,
    document_rate_to_rc as rate_to_rc
from {{ ref('int_invoices_current') }}
where
    document_rate_to_rc is not null
    and issue_date is not null
    and currency_code <> '{{ var("reporting_currency") }}'
qualify
    row_number() over (
        partition by currency_code, issue_date
        order by gross_amt desc, invoice_key asc
    ) = 1
