-- Grain: one row per version of a quote, with the invoice and subscription it became.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'number': 'VARCHAR',
            'customer': 'VARCHAR',
            'status': 'VARCHAR',
            'currency': 'VARCHAR',
            'amount_total': 'BIGINT',
            'invoice': 'VARCHAR',
            'subscription': 'VARCHAR',
            'metadata': 'JSON',
            'created': 'BIGINT',
            'expires_at': 'BIGINT',
            'status_transitions': {'accepted_at': 'BIGINT', 'finalized_at': 'BIGINT'},
            'test_clock': 'VARCHAR',
        }) }} as body
    from {{ raw_source('stripe__quotes') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as quote_key,
        versions.record_id as quote_id,
        versions.body.number as quote_number,
        versions.connection || ':' || {{ stripe_id('versions.body.customer') }} as customer_key,
        versions.connection || ':' || {{ stripe_id('versions.body.invoice') }} as invoice_key,
        versions.connection || ':' || {{ stripe_id('versions.body.subscription') }}
            as subscription_key,
        versions.body.status as status,
        upper(versions.body.currency) as currency_code,
        {{ stripe_deal_reference('versions.body.metadata') }} as deal_reference,
        versions.body.amount_total as amount_total_minor,
        {{ stripe_instant('versions.body.expires_at') }} as expires_at,
        {{ stripe_instant('versions.body.status_transitions.accepted_at') }} as accepted_at,
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
    where versions.body.test_clock is null
)

select * from final
