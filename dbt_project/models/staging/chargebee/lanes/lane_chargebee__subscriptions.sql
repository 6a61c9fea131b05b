-- Grain: one row per version of a Chargebee subscription. The monthly amount is Chargebee's own
-- MRR, after recurring discounts, while it counts one; of a subscription that does not run (any
-- more), and where the site counts no MRR, what its items cost, and monthly_steps what they cost
-- after the discounts that recur.

with subscriptions as (
    select
        *,
        status in ('active', 'non_renewing') and mrr_minor is not null as has_own_mrr
    from {{ ref('stg_chargebee__subscriptions') }}
),

items as (
    select
        raw_version_id as version_id,
        item_no,
        items[item_no].item_price_id as item_price_id,
        items[item_no].item_type as item_type,
        items[item_no].monthly_minor as monthly_minor
    from (
        select
            *,
            unnest(range(1, len(items) + 1)) as item_no
        from subscriptions
    )
),

coupons as (
    select *
    from {{ ref('stg_chargebee__coupons') }}
    where has_content
    qualify
        row_number() over (
            partition by coupon_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

named as (
    select
        subscriptions.*,
        'coupon' as kind,
        unnest(range(1, len(coupons) + 1)) as place
    from subscriptions
    where not has_own_mrr
    union all
    select
        subscriptions.*,
        'discount',
        unnest(range(1, len(discounts) + 1))
    from subscriptions
    where not has_own_mrr
),

worded as (
    select
        named.raw_version_id as version_id,
        named.currency_code,
        named.billing_period_unit,
        named.billing_period,
        named.place,
        coupons.percent_off,
        coupons.amount_off_minor,
        coupons.currency_code as off_currency_code,
        coupons.duration,
        coupons.is_in_mrr,
        coupons.is_for_items,
        coupons.item_constraints,
        cast(null as varchar) as item_price_id,
        cast(null as bigint) as starts_at,
        named.coupons[named.place].apply_till as ends_at
    from named
    inner join coupons
        on named.connection || ':' || named.coupons[named.place].coupon_id = coupons.coupon_key
    where named.kind = 'coupon'
    union all
    -- What was taken off by hand comes after the coupons.
    select
        raw_version_id,
        currency_code,
        billing_period_unit,
        billing_period,
        len(coupons) + place,
        case when discounts[place].type = 'percentage' then discounts[place].percentage end,
        case when discounts[place].type = 'fixed_amount' then discounts[place].amount end,
        upper(discounts[place].currency_code),
        discounts[place].duration_type,
        coalesce(discounts[place].included_in_mrr, true),
        coalesce(discounts[place].apply_on = 'specific_item_price', false),
        null,
        discounts[place].item_price_id,
        discounts[place].created_at,
        discounts[place].apply_till
    from named
    where kind = 'discount'
),

scoped as (
    select
        worded.*,
        case
            when is_for_items then coalesce((
                select list(items.item_no)
                from items
                where
                    items.version_id = worded.version_id
                    and (
                        items.item_price_id = worded.item_price_id
                        or len(list_filter(
                            worded.item_constraints,
                            lambda one: one.item_type = items.item_type
                            and (
                                one."constraint" = 'all'
                                or list_contains(one.item_price_ids, items.item_price_id)
                            )
                        )) > 0
                    )
            ), [])
        end as item_nos
    from worded
    where duration in ('forever', 'limited_period') and is_in_mrr
),

discounts as (
    select
        version_id,
        cast(null as bigint) as item_no,
        item_nos,
        place,
        percent_off,
        cast({{ monthly_amount(
            'cast(case when coalesce(off_currency_code, currency_code) = currency_code'
            ~ ' then amount_off_minor * coalesce(len(item_nos), 1) end as decimal(26, 2))',
            'billing_period_unit', 'billing_period') }} as decimal(28, 8)) as monthly_off_minor,
        {{ chargebee_instant('starts_at') }} as starts_at,
        {{ chargebee_instant('ends_at') }} as ends_at
    from scoped
),

costs as (
    {{ discounted_months('items', 'discounts') }}
),

valued as (
    select
        subscriptions.*,
        costs.monthly_minor,
        costs.steps
    from subscriptions
    left join costs on subscriptions.raw_version_id = costs.version_id
)

select
    subscription_key,
    subscription_id,
    customer_key,
    source_system,
    connection,
    raw_version_id,
    case status
        when 'future' then 'pending'
        when 'in_trial' then 'trial'
        when 'paused' then 'paused'
        when 'cancelled' then 'cancelled'
        when 'transferred' then 'cancelled'
        else 'active'
    end as status,
    currency_code,
    {{ chargebee_money(
        'case when has_own_mrr then mrr_minor'
        ~ ' else monthly_minor end', 'currency_code') }} as monthly_amt,
    list_transform(steps, lambda one: {
        'until_at': one.until_at,
        'monthly_amt': {{ chargebee_money('one.minor', 'currency_code') }}
    }) as monthly_steps,
    is_deleted,
    started_at,
    trial_ends_at,
    case when status in ('cancelled', 'transferred') then cancelled_at end
        as ended_at,
    source_updated_at,
    observed_at,
    sync_id,
    position
from valued
