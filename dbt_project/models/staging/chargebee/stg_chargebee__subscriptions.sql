-- Grain: one row per version of a subscription.

{% set structure = {
    'customer_id': 'VARCHAR',
    'status': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'base_currency_code': 'VARCHAR',
    'po_number': 'VARCHAR',
    'billing_period': 'BIGINT',
    'billing_period_unit': 'VARCHAR',
    'mrr': 'BIGINT',
    'plan_amount': 'BIGINT',
    'addons': [{'id': 'VARCHAR', 'amount': 'BIGINT'}],
    'plan_id': 'VARCHAR',
    'coupons': [{'coupon_id': 'VARCHAR', 'apply_till': 'BIGINT'}],
    'discounts': [{
        'type': 'VARCHAR',
        'percentage': 'DECIMAL(9,4)',
        'amount': 'BIGINT',
        'currency_code': 'VARCHAR',
        'duration_type': 'VARCHAR',
        'apply_on': 'VARCHAR',
        'apply_till': 'BIGINT',
        'created_at': 'BIGINT',
        'item_price_id': 'VARCHAR',
        'included_in_mrr': 'BOOLEAN',
    }],
    'subscription_items': [{
        'item_price_id': 'VARCHAR',
        'item_type': 'VARCHAR',
        'amount': 'BIGINT',
        'billing_period': 'BIGINT',
        'billing_period_unit': 'VARCHAR',
    }],
    'start_date': 'BIGINT',
    'started_at': 'BIGINT',
    'trial_end': 'BIGINT',
    'cancelled_at': 'BIGINT',
    'next_billing_at': 'BIGINT',
    'created_at': 'BIGINT',
} %}
{% do structure.update(chargebee_deal_fields()) %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__subscriptions') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as subscription_key,
        versions.record_id as subscription_id,
        versions.connection || ':' || versions.body.customer_id as customer_key,
        versions.body.status as status,
        upper(versions.body.currency_code) as currency_code,
        upper(nullif(versions.body.base_currency_code, '')) as base_currency_code,
        nullif(trim(versions.body.po_number), '') as po_number,
        {{ chargebee_deal_reference('versions.body') }} as deal_reference,
        case versions.body.billing_period_unit
            when 'year' then 12 * versions.body.billing_period
            when 'month' then versions.body.billing_period
        end as interval_months,
        versions.body.mrr as mrr_minor,
        -- What a month of each item costs, in minor units: a metered one has no amount. Items
        -- (Product Catalog 2.0) may have a period of their own, plan and add-ons (1.0) share one.
        coalesce(
            list_transform(
                list_filter(
                    versions.body.subscription_items,
                    lambda item: coalesce(item.item_type, 'plan') <> 'charge'
                    and item.amount is not null
                ),
                lambda item: {
                    'item_price_id': item.item_price_id,
                    'item_type': coalesce(item.item_type, 'plan'),
                    'monthly_minor': cast({{ monthly_amount(
                        'cast(item.amount as decimal(26, 2))',
                        'coalesce(item.billing_period_unit, versions.body.billing_period_unit)',
                        'coalesce(item.billing_period, versions.body.billing_period)') }}
                    as decimal(28, 8))
                }
            ),
            list_transform(
                list_filter(
                    list_prepend(
                        {
                            'id': versions.body.plan_id,
                            'amount': versions.body.plan_amount,
                            'kind': 'plan'
                        },
                        list_transform(
                            coalesce(versions.body.addons, []),
                            lambda one: {'id': one.id, 'amount': one.amount, 'kind': 'addon'}
                        )
                    ),
                    lambda one: one.amount is not null
                ),
                lambda one: {
                    'item_price_id': one.id,
                    'item_type': one.kind,
                    'monthly_minor': cast({{ monthly_amount(
                        'cast(one.amount as decimal(26, 2))',
                        'versions.body.billing_period_unit', 'versions.body.billing_period') }}
                    as decimal(28, 8))
                }
            )
        ) as items,
        coalesce(versions.body.coupons, []) as coupons,
        coalesce(versions.body.discounts, []) as discounts,
        versions.body.billing_period_unit as billing_period_unit,
        versions.body.billing_period as billing_period,
        {{ chargebee_instant('coalesce(versions.body.started_at, versions.body.start_date, '
            ~ 'versions.body.created_at)') }} as started_at,
        {{ chargebee_instant('versions.body.trial_end') }} as trial_ends_at,
        {{ chargebee_instant('versions.body.cancelled_at') }} as cancelled_at,
        {{ chargebee_instant('versions.body.next_billing_at') }} as next_billing_at,
        {{ chargebee_instant('versions.body.created_at') }} as created_at,
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
