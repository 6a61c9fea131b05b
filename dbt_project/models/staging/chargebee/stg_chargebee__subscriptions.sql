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
    'started_at': 'BIGINT',
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
        {{ chargebee_money('versions.body.mrr', 'upper(versions.body.currency_code)') }} as mrr_amt,
        {{ chargebee_instant('versions.body.started_at') }} as started_at,
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
