-- Grain: one row per version of a payment intent.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'status': 'VARCHAR',
            'currency': 'VARCHAR',
            'customer': 'VARCHAR',
            'amount_received': 'BIGINT',
            'latest_charge': 'VARCHAR',
            'created': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__payment_intents') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as payment_intent_key,
        versions.connection || ':' || {{ stripe_id('versions.body.customer') }} as customer_key,
        versions.connection || ':' || {{ stripe_id('versions.body.latest_charge') }}
            as latest_charge_key,
        versions.body.status as status,
        upper(versions.body.currency) as currency_code,
        versions.body.amount_received as amount_received_minor,
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
