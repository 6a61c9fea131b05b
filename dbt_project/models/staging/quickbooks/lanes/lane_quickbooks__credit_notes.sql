-- Grain: one row per landed version of a credit memo or of a receipt for money given back.
--
-- A memo names no invoice: its invoice is the one to which most of it is applied. What a cheque
-- paid out is refunded; what is left stays with the customer. A receipt is credit and refund in
-- one. A memo that only writes off is no credit (lane_quickbooks__payment_allocations).

with memos as (
    select * from {{ ref('stg_quickbooks__credit_memos') }}
),

applications as (
    select *
    from {{ ref('stg_quickbooks__applications') }}
    where settling_type = 'CreditMemo' and not is_deleted
),

credited as (
    select
        concat(connection, ':', settling_id) as document_key,
        arg_max(
            case when settled_type = 'Invoice' then concat(connection, ':', settled_id) end,
            applied_amount
        ) as invoice_key,
        sum(case when settled_type <> 'Invoice' then applied_amount else 0 end) as paid_out_amount
    from applications
    group by connection, settling_id
),

write_offs as (
    {{ quickbooks_write_offs() }}
),

homes as (
    {{ quickbooks_homes() }}
),

united as (
    select
        memos.*,
        credited.invoice_key,
        coalesce(credited.paid_out_amount, 0) as refunded_amount,
        coalesce(memos.remaining_amount, 0) as left_amount
    from memos
    left join credited on memos.document_key = credited.document_key
    left join write_offs on memos.document_key = write_offs.document_key
    where write_offs.document_key is null
    union all by name
    select
        *,
        gross_amount as refunded_amount,
        cast(0 as {{ money_type() }}) as left_amount
    from {{ ref('stg_quickbooks__refund_receipts') }}
)

select
    united.document_key as credit_note_key,
    united.invoice_key,
    united.customer_key,
    united.source_system,
    united.connection,
    united.raw_version_id,
    united.document_number as credit_note_number,
    case when united.is_void then 'void' else 'issued' end as status,
    coalesce(united.customer_memo, united.private_note) as reason,
    coalesce(united.currency_code, homes.home_currency_code) as currency_code,
    cast([] as varchar[]) as refund_keys,
    united.net_amount as net_amt,
    united.tax_amount as tax_amt,
    united.gross_amount as gross_amt,
    cast(united.gross_amount - united.refunded_amount - united.left_amount as {{ money_type() }})
        as pre_payment_amt,
    cast(united.refunded_amount as {{ money_type() }}) as refunded_amt,
    united.left_amount as credited_to_balance_amt,
    cast(0 as {{ money_type() }}) as out_of_band_amt,
    united.is_deleted,
    united.issue_date,
    case when united.is_void then {{ company_date('united.source_updated_at') }} end as voided_date,
    united.observed_at,
    united.sync_id,
    united.position
from united
left join homes on united.connection = homes.connection
