-- Grain: one row per version of a change of a customer's credit balance; in Stripe a
-- negative amount is credit to the customer.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'customer': 'VARCHAR',
            'invoice': 'VARCHAR',
            'credit_note': 'VARCHAR',
            'type': 'VARCHAR',
            'currency': 'VARCHAR',
            'amount': 'BIGINT',
            'created': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__customer_balance_transactions') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as balance_change_key,
        versions.connection || ':' || {{ stripe_id('versions.body.customer') }} as customer_key,
        versions.connection || ':' || {{ stripe_id('versions.body.invoice') }} as invoice_key,
        versions.connection || ':' || {{ stripe_id('versions.body.credit_note') }}
            as credit_note_key,
        versions.body.type as balance_change_type,
        upper(versions.body.currency) as currency_code,
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
