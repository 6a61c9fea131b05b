-- Grain: one row per landed version of a payment of a supplier's invoice of a file.

{% set structure = {
    'payment_id': 'VARCHAR',
    'bill_id': 'VARCHAR',
    'kind': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'amount': 'DECIMAL(24,4)',
    'paid_date': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'bill_payments') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as bill_payment_key,
        landed.connection,
        nullif(trim(landed.record.payment_id), '') as payment_id,
        nullif(trim(landed.record.bill_id), '') as bill_id,
        lower(nullif(trim(landed.record.kind), '')) as kind,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        cast(landed.record.amount as {{ money_type() }}) as paid_amt,
        landed.record.paid_date as paid_date,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
