-- Grain: one row per version of a charge; money in minor units. `invoice` stood on the
-- charge before 2025-03-31. An expanded balance transaction is read where it is there.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'status': 'VARCHAR',
            'captured': 'BOOLEAN',
            'paid': 'BOOLEAN',
            'currency': 'VARCHAR',
            'customer': 'VARCHAR',
            'invoice': 'VARCHAR',
            'payment_intent': 'VARCHAR',
            'amount': 'BIGINT',
            'amount_captured': 'BIGINT',
            'amount_refunded': 'BIGINT',
            'disputed': 'BOOLEAN',
            'balance_transaction': 'JSON',
            'created': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__charges') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as charge_key,
        versions.connection || ':' || {{ stripe_id('versions.body.customer') }} as customer_key,
        versions.connection || ':' || {{ stripe_id('versions.body.invoice') }} as invoice_key,
        versions.connection || ':' || {{ stripe_id('versions.body.payment_intent') }}
            as payment_intent_key,
        versions.connection || ':' || coalesce(
            json_extract_string(versions.body.balance_transaction, '$.id'),
            json_extract_string(versions.body.balance_transaction, '$')
        ) as balance_transaction_key,
        versions.body.status as status,
        upper(versions.body.currency) as currency_code,
        upper(
            {{ json_struct('versions.body.balance_transaction', {'currency': 'VARCHAR'}) }}.currency
        )
            as settled_currency_code,
        versions.body.amount as amount_minor,
        versions.body.amount_captured as amount_captured_minor,
        versions.body.amount_refunded as amount_refunded_minor,
        {{ json_struct('versions.body.balance_transaction', {'fee': 'BIGINT'}) }}.fee as fee_minor,
        {{ json_struct('versions.body.balance_transaction', {'amount': 'BIGINT'}) }}.amount
            as settled_minor,
        {{ json_struct('versions.body.balance_transaction', {'net': 'BIGINT'}) }}.net
            as settled_net_minor,
        coalesce(versions.body.captured, false) as is_captured,
        coalesce(versions.body.disputed, false) as is_disputed,
        {{ stripe_instant('versions.body.created') }} as created_at,
        versions.raw_version_id,
        'stripe' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
