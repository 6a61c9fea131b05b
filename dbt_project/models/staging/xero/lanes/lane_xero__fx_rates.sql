-- Grain: one row per currency x day of issue: the rate of the day's largest Xero sales invoice.
--
-- Xero lists no rates; its documents carry XE's of their day, or what somebody typed. Units of
-- the document's currency per unit of the organisation's, turned round. The last of all sources.

with invoices as (
    select *
    from {{ ref('stg_xero__invoices') }}
    qualify
        row_number() over (
            partition by invoice_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

organisations as (
    select
        connection,
        arg_max(base_currency_code, (observed_at, sync_id, position)) as base_currency_code
    from {{ ref('stg_xero__organisation') }}
    where not is_deleted
    group by connection
)

select
    concat(
        invoices.connection, ':', invoices.currency_code, ':', invoices.issue_date
    ) as fx_rate_key,
    invoices.source_system,
    invoices.connection,
    invoices.raw_version_id,
    'spot' as rate_type,
    'xero documents' as rate_source,
    invoices.currency_code,
    organisations.base_currency_code as pivot_currency_code,
    {{ decimal_ratio('1', 'invoices.currency_rate', 12, 20) }} as rate_to_pivot,
    9 as preference,
    false as is_open_ended,
    false as is_deleted,
    invoices.issue_date as effective_date,
    invoices.observed_at,
    invoices.sync_id,
    invoices.position
from invoices
inner join organisations on invoices.connection = organisations.connection
where
    invoices.document_type = 'ACCREC'
    and invoices.status in ('AUTHORISED', 'PAID')
    and invoices.currency_rate > 0
    and invoices.currency_code <> organisations.base_currency_code
qualify
    row_number() over (
        partition by invoices.connection, invoices.currency_code, invoices.issue_date
        order by invoices.gross_amount desc, invoices.invoice_key asc
    ) = 1
