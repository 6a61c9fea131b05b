-- Grain: one row per version of a payment in an export; amount is what the payer paid.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'payment_id': 'VARCHAR',
            'company_id': 'VARCHAR',
            'method': 'VARCHAR',
            'status': 'VARCHAR',
            'invoice_number': 'VARCHAR',
            'currency_code': 'VARCHAR',
            'settled_currency_code': 'VARCHAR',
            'amount': 'DECIMAL(24,4)',
            'fee_amount': 'DECIMAL(24,4)',
            'settled_amount': 'DECIMAL(24,4)',
            'paid_date': 'DATE',
        }) }} as body
    from {{ raw_source('files__payments') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as payment_key,
        nullif(trim(versions.body.payment_id), '') as payment_id,
        nullif(trim(versions.body.company_id), '') as company_id,
        nullif(trim(versions.body.method), '') as method,
        lower(nullif(trim(versions.body.status), '')) as status,
        versions.connection || ':' || nullif(trim(versions.body.invoice_number), '') as invoice_key,
        upper(versions.body.currency_code) as currency_code,
        upper(versions.body.settled_currency_code) as settled_currency_code,
        cast(versions.body.amount as {{ money_type() }}) as amount_amt,
        cast(versions.body.fee_amount as {{ money_type() }}) as fee_amt,
        cast(versions.body.settled_amount as {{ money_type() }}) as settled_net_amt,
        versions.body.paid_date,
        versions.raw_version_id,
        'files' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
