-- Grain: one row per version of a dispute. The money leaves when the dispute opens and
-- returns when it is won; withdrawn_at is the newest withdrawal the dispute lists.

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
            'balance_transactions': [{'amount': 'BIGINT', 'created': 'BIGINT'}],
            'created': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__disputes') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as dispute_key,
        versions.connection || ':' || {{ stripe_id('versions.body.charge') }} as charge_key,
        versions.connection || ':' || {{ stripe_id('versions.body.payment_intent') }}
            as payment_intent_key,
        versions.body.status as status,
        upper(versions.body.currency) as currency_code,
        versions.body.reason as reason,
        versions.body.amount as amount_minor,
        {{ stripe_instant('coalesce(list_max(list_transform(list_filter('
            ~ 'versions.body.balance_transactions, lambda x: x.amount < 0), lambda x: x.created)), '
            ~ 'versions.body.created)') }} as withdrawn_at,
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
