-- Grain: one row per version of an invoice x payment inside it (`expand[]=data.payments`,
-- shapes since 2025-03-31).

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'test_clock': 'VARCHAR',
            'payments': {'data': [{
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
            }]},
        }) }} as body
    from {{ raw_source('stripe__invoices') }}
),

unfolded as (
    select
        versions.* exclude (body),
        unnest(versions.body.payments.data) as payment
    from versions
    where versions.body.test_clock is null
),

final as (
    select
        unfolded.connection || ':' || unfolded.payment.id as invoice_payment_key,
        unfolded.connection || ':' || unfolded.record_id as invoice_key,
        unfolded.connection || ':' || {{ stripe_id('unfolded.payment.payment.payment_intent') }}
            as payment_intent_key,
        unfolded.connection || ':' || {{ stripe_id('unfolded.payment.payment.charge') }}
            as charge_key,
        unfolded.connection || ':' || {{ stripe_id('unfolded.payment.payment.payment_record') }}
            as payment_record_key,
        unfolded.payment.status as status,
        upper(unfolded.payment.currency) as currency_code,
        unfolded.payment.amount_paid as amount_paid_minor,
        {{ stripe_instant('coalesce(unfolded.payment.status_transitions.paid_at, '
            ~ 'unfolded.payment.created)') }}
            as paid_at,
        unfolded.raw_version_id,
        'stripe' as source_system,
        unfolded.connection,
        unfolded.change <> 'upsert' as is_deleted,
        unfolded.source_updated_at,
        unfolded.observed_at,
        unfolded.sync_id,
        unfolded.position
    from unfolded
)

select * from final
