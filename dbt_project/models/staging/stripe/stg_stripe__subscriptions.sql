-- Grain: one row per version of a subscription. Billing interval: of its first recurring
-- item; Stripe asks that all items of a subscription share it. Period fields moved from
-- the subscription to its items with 2025-03-31; both are read.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'customer': 'VARCHAR',
            'status': 'VARCHAR',
            'currency': 'VARCHAR',
            'metadata': 'JSON',
            'start_date': 'BIGINT',
            'created': 'BIGINT',
            'canceled_at': 'BIGINT',
            'ended_at': 'BIGINT',
            'current_period_start': 'BIGINT',
            'current_period_end': 'BIGINT',
            'trial_end': 'BIGINT',
            'pause_collection': {'behavior': 'VARCHAR'},
            'discount': 'JSON',
            'discounts': ['JSON'],
            'items': {'has_more': 'BOOLEAN', 'data': [{
                'id': 'VARCHAR',
                'current_period_start': 'BIGINT',
                'current_period_end': 'BIGINT',
                'quantity': 'BIGINT',
                'discounts': ['JSON'],
                'price': {
                    'id': 'VARCHAR',
                    'product': 'VARCHAR',
                    'unit_amount_decimal': 'DECIMAL(38,12)',
                    'recurring': {
                        'interval': 'VARCHAR',
                        'interval_count': 'BIGINT',
                        'usage_type': 'VARCHAR',
                    },
                },
            }]},
            'test_clock': 'VARCHAR',
        }) }} as body
    from {{ raw_source('stripe__subscriptions') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as subscription_key,
        versions.record_id as subscription_id,
        versions.connection || ':' || {{ stripe_id('versions.body.customer') }} as customer_key,
        versions.body.status as status,
        upper(versions.body.currency) as currency_code,
        {{ stripe_deal_reference('versions.body.metadata') }} as deal_reference,
        nullif(trim(json_extract_string(versions.body.metadata, '$.channel')), '') as channel,
        versions.body.items.data[1].price.recurring."interval" as recurring_interval,
        versions.body.items.data[1].price.recurring.interval_count as recurring_interval_count,
        coalesce(versions.body.items.data, []) as items,
        -- Before 2025-03-31 one, which shows its coupon; then several, which name theirs.
        list_concat(
            coalesce(versions.body.discounts, []),
            case
                when coalesce(len(versions.body.discounts), 0) = 0
                    then list_filter([versions.body.discount], lambda one: one is not null)
                else []
            end
        ) as discounts,
        versions.body.pause_collection.behavior is not null as is_paused,
        {{ stripe_instant('versions.body.trial_end') }} as trial_ends_at,
        {{ stripe_instant('versions.body.start_date') }} as started_at,
        {{ stripe_instant('coalesce(versions.body.current_period_start, '
            ~ 'versions.body.items.data[1].current_period_start)') }} as current_period_start_at,
        {{ stripe_instant('coalesce(versions.body.current_period_end, '
            ~ 'versions.body.items.data[1].current_period_end)') }} as current_period_end_at,
        {{ stripe_instant('versions.body.canceled_at') }} as canceled_at,
        {{ stripe_instant('versions.body.ended_at') }} as ended_at,
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
