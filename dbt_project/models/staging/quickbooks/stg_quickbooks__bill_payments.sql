-- Grain: one row per version of a payment to a supplier; one of zero applies a credit.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'TxnDate': 'VARCHAR',
            'CurrencyRef': {'value': 'VARCHAR'},
            'TotalAmt': 'DECIMAL(18,4)',
            'Line': [{
                'Amount': 'DECIMAL(18,4)',
                'LinkedTxn': [{'TxnId': 'VARCHAR', 'TxnType': 'VARCHAR'}],
            }],
        }) }} as body
    from {{ raw_source('quickbooks__bill_payments') }}
),

final as (
    select
        versions.connection || ':bill_payment:' || versions.record_id as bill_payment_key,
        versions.record_id as bill_payment_id,
        try_cast(versions.body.TxnDate as date) as paid_date,
        upper(nullif(versions.body.CurrencyRef.value, '')) as currency_code,
        versions.body.TotalAmt as paid_amount,
        coalesce(versions.body.Line, []) as lines,
        versions.payload is not null as has_content,
        versions.raw_version_id,
        'quickbooks' as source_system,
        versions.connection,
        versions.change,
        versions.change not in ('upsert', 'archived') as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
