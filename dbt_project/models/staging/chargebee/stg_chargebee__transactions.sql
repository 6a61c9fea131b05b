-- Grain: one row per version of a transaction: payment, refund, payment_reversal or
-- authorization.

{% set structure = {
    'customer_id': 'VARCHAR',
    'type': 'VARCHAR',
    'status': 'VARCHAR',
    'payment_method': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'amount': 'BIGINT',
    'amount_unused': 'BIGINT',
    'refunded_txn_id': 'VARCHAR',
    'date': 'BIGINT',
    'settled_at': 'BIGINT',
    'voided_at': 'BIGINT',
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__transactions') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as transaction_key,
        versions.record_id as transaction_id,
        versions.connection || ':' || nullif(versions.body.customer_id, '') as customer_key,
        versions.connection || ':' || nullif(versions.body.refunded_txn_id, '')
            as refunded_transaction_key,
        versions.body.type as transaction_type,
        versions.body.status as status,
        versions.body.payment_method as payment_method,
        upper(versions.body.currency_code) as currency_code,
        versions.body.amount as amount_minor,
        versions.body.amount_unused as amount_unused_minor,
        {{ chargebee_instant('versions.body.date') }} as transacted_at,
        {{ chargebee_instant('versions.body.settled_at') }} as settled_at,
        {{ chargebee_instant('versions.body.voided_at') }} as voided_at,
        versions.raw_version_id,
        'chargebee' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
