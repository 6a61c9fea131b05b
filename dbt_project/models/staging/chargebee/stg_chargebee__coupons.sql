-- Grain: one row per version of a coupon. One that was deleted goes on where it was applied: its
-- last content stays.

{% set structure = {
    'discount_type': 'VARCHAR',
    'discount_percentage': 'DECIMAL(9,4)',
    'discount_amount': 'BIGINT',
    'currency_code': 'VARCHAR',
    'duration_type': 'VARCHAR',
    'apply_on': 'VARCHAR',
    'item_constraints': [{
        'item_type': 'VARCHAR',
        'constraint': 'VARCHAR',
        'item_price_ids': ['VARCHAR'],
    }],
    'included_in_mrr': 'BOOLEAN',
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__coupons') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as coupon_key,
        upper(versions.body.currency_code) as currency_code,
        versions.body.duration_type as duration,
        case when versions.body.discount_type = 'percentage' then versions.body.discount_percentage end
            as percent_off,
        case when versions.body.discount_type = 'fixed_amount' then versions.body.discount_amount end
            as amount_off_minor,
        versions.body.item_constraints as item_constraints,
        coalesce(versions.body.apply_on = 'each_specified_item', false) as is_for_items,
        coalesce(versions.body.included_in_mrr, true) as is_in_mrr,
        versions.body.duration_type is not null as has_content,
        versions.raw_version_id,
        versions.connection,
        versions.change,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
