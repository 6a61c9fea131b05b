-- Grain: one row per landed version of a credit note of a file.

select
    credit_note_key,
    invoice_key,
    connection || ':' || company_id as customer_key,
    source_system,
    connection,
    raw_version_id,
    credit_note_number,
    case
        when status in ('void', 'voided', 'canceled', 'cancelled') then 'void'
        when status = 'draft' then 'draft'
        when status is null and voided_date is not null then 'void'
        else 'issued'
    end as status,
    reason,
    currency_code,
    cast([] as varchar[]) as refund_keys,
    cast(coalesce(net_amt, gross_amt - coalesce(tax_amt, 0)) as {{ money_type() }})
        as net_amt,
    cast(coalesce(tax_amt, gross_amt - net_amt, 0) as {{ money_type() }}) as tax_amt,
    cast(coalesce(gross_amt, net_amt + coalesce(tax_amt, 0)) as {{ money_type() }})
        as gross_amt,
    cast(
        coalesce(gross_amt, net_amt + coalesce(tax_amt, 0)) - coalesce(refunded_amt, 0)
        as {{ money_type() }}
    ) as pre_payment_amt,
    coalesce(refunded_amt, 0) as refunded_amt,
    cast(0 as {{ money_type() }}) as credited_to_balance_amt,
    cast(0 as {{ money_type() }}) as out_of_band_amt,
    is_deleted,
    issue_date,
    voided_date,
    observed_at,
    sync_id,
    position
from {{ ref('stg_files__credit_notes') }}
