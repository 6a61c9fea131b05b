-- Grain: one row per version of a payment; one of zero applies a credit.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'TxnDate': 'VARCHAR',
            'CurrencyRef': {'value': 'VARCHAR'},
            'ExchangeRate': 'DECIMAL(28,12)',
            'PrivateNote': 'VARCHAR',
            'CustomerRef': {'value': 'VARCHAR'},
            'PaymentMethodRef': {'value': 'VARCHAR', 'name': 'VARCHAR'},
            'TotalAmt': 'DECIMAL(18,4)',
            'UnappliedAmt': 'DECIMAL(18,4)',
            'Line': [{
                'Amount': 'DECIMAL(18,4)',
                'LinkedTxn': [{'TxnId': 'VARCHAR', 'TxnType': 'VARCHAR'}],
            }],
        }) }} as body
    from {{ raw_source('quickbooks__payments') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as payment_key,
        versions.record_id as payment_id,
        try_cast(versions.body.TxnDate as date) as paid_date,
        upper(nullif(versions.body.CurrencyRef.value, '')) as currency_code,
        versions.body.ExchangeRate as exchange_rate,
        nullif(trim(versions.body.PrivateNote), '') as private_note,
        versions.connection || ':' || nullif(versions.body.CustomerRef.value, '') as customer_key,
        nullif(trim(versions.body.PaymentMethodRef.name), '') as payment_method,
        versions.body.TotalAmt as paid_amount,
        versions.body.UnappliedAmt as unapplied_amount,
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
