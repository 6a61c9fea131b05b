-- Grain: one row per version of a refund; a failed one gave the money back.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'status': 'VARCHAR',
            'currency': 'VARCHAR',
            'charge': 'VARCHAR',
            'payment_intent': 'VARCHAR',
            'amount': 'BIGINT',
            'reason': 'VARCHAR',
            'created': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__refunds') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as refund_key,
        versions.connection || ':' || {{ stripe_id('versions.body.charge') }} as charge_key,
        versions.connection || ':' || {{ stripe_id('versions.body.payment_intent') }}
            as payment_intent_key,
        versions.body.status as status,
        upper(versions.body.currency) as currency_code,
        versions.body.reason as reason,
        versions.body.amount as amount_minor,
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
