-- Grain: one row per version of an entry of the account's own ledger; currency is the one
-- that was settled. exchange_rate: settled units per unit of the source's currency.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'source': 'VARCHAR',
            'type': 'VARCHAR',
            'currency': 'VARCHAR',
            'amount': 'BIGINT',
            'fee': 'BIGINT',
            'net': 'BIGINT',
            'exchange_rate': 'DECIMAL(28,12)',
            'status': 'VARCHAR',
            'created': 'BIGINT',
            'available_on': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__balance_transactions') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as balance_transaction_key,
        versions.connection || ':' || {{ stripe_id('versions.body.source') }} as source_object_key,
        versions.body.type as transaction_type,
        versions.body.status as status,
        upper(versions.body.currency) as settled_currency_code,
        versions.body.amount as settled_minor,
        versions.body.fee as fee_minor,
        versions.body.net as settled_net_minor,
        versions.body.exchange_rate as exchange_rate,
        {{ stripe_instant('versions.body.available_on') }} as available_at,
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
