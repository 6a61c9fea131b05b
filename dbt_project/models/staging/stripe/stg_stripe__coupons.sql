-- Grain: one row per version of a coupon; money in minor units. What takes something off goes on
-- when its coupon is deleted: the last content stays.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'percent_off': 'DECIMAL(9,4)',
            'amount_off': 'BIGINT',
            'currency': 'VARCHAR',
            'currency_options': 'JSON',
            'duration': 'VARCHAR',
            'applies_to': {'products': ['VARCHAR']},
        }) }} as body
    from {{ raw_source('stripe__coupons') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as coupon_key,
        versions.record_id as coupon_id,
        versions.body.duration as duration,
        upper(versions.body.currency) as currency_code,
        versions.body.currency_options as currency_options,
        versions.body.applies_to.products as product_ids,
        versions.body.percent_off as percent_off,
        versions.body.amount_off as amount_off_minor,
        versions.body.duration is not null as has_content,
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
