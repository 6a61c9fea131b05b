-- Grain: one row per version of a payment's share of an invoice.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'id': 'VARCHAR',
            'invoice': 'VARCHAR',
            'amount_paid': 'BIGINT',
            'currency': 'VARCHAR',
            'status': 'VARCHAR',
            'payment': {
                'type': 'VARCHAR',
                'payment_intent': 'VARCHAR',
                'charge': 'VARCHAR',
                'payment_record': 'VARCHAR',
            },
            'status_transitions': {'paid_at': 'BIGINT', 'canceled_at': 'BIGINT'},
            'created': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__invoice_payments') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as invoice_payment_key,
        versions.connection || ':' || {{ stripe_id('versions.body.invoice') }} as invoice_key,
        versions.connection || ':' || {{ stripe_id('versions.body.payment.payment_intent') }}
            as payment_intent_key,
        versions.connection || ':' || {{ stripe_id('versions.body.payment.charge') }} as charge_key,
        versions.connection || ':' || {{ stripe_id('versions.body.payment.payment_record') }}
            as payment_record_key,
        versions.body.status as status,
        upper(versions.body.currency) as currency_code,
        versions.body.amount_paid as amount_paid_minor,
        {{ stripe_instant('coalesce(versions.body.status_transitions.paid_at, '
            ~ 'versions.body.created)') }}
            as paid_at,
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
