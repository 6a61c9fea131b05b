-- Grain: one row per version of a price; money in minor units.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'product': 'VARCHAR',
            'currency': 'VARCHAR',
            'unit_amount_decimal': 'DECIMAL(38,12)',
            'recurring': {'interval': 'VARCHAR', 'interval_count': 'BIGINT', 'usage_type': 'VARCHAR'},
            'type': 'VARCHAR',
            'tiers_mode': 'VARCHAR',
            'tiers': [{
                'up_to': 'BIGINT',
                'unit_amount_decimal': 'DECIMAL(26,12)',
                'flat_amount_decimal': 'DECIMAL(26,12)',
            }],
            'transform_quantity': {'divide_by': 'BIGINT', 'round': 'VARCHAR'},
            'active': 'BOOLEAN',
            'created': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__prices') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as price_key,
        versions.record_id as price_id,
        versions.connection || ':' || {{ stripe_id('versions.body.product') }} as product_key,
        upper(versions.body.currency) as currency_code,
        versions.body.recurring."interval" as recurring_interval,
        versions.body.recurring.usage_type as usage_type,
        versions.body.type as price_type,
        versions.body.unit_amount_decimal as unit_amount_minor,
        versions.body.recurring.interval_count as recurring_interval_count,
        versions.body.tiers_mode as tiers_mode,
        versions.body.tiers as tiers,
        versions.body.transform_quantity.divide_by as quantity_divided_by,
        versions.body.transform_quantity."round" as quantity_rounding,
        coalesce(versions.body.active, true) as is_active,
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
