-- Grain: one row per version of a Stripe subscription. monthly_amt is before discounts;
-- monthly_steps is after those that recur, until each instant at which one begins or ends.
--
-- Metered items have no price of a month. A discount of duration "once" is not one of a month. A
-- customer's own discount counts where the subscription has none.

with subscriptions as (
    select * from {{ ref('stg_stripe__subscriptions') }}
),

prices as (
    select *
    from {{ ref('stg_stripe__prices') }}
    where not is_deleted
    qualify
        row_number() over (
            partition by price_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

numbered as (
    select
        raw_version_id,
        connection,
        items,
        unnest(range(1, len(items) + 1)) as item_no
    from subscriptions
),

listed as (
    select
        raw_version_id as version_id,
        connection,
        item_no,
        items[item_no] as item
    from numbered
    where coalesce(items[item_no].price.recurring.usage_type, 'licensed') <> 'metered'
),

counted as (
    select
        listed.*,
        coalesce(
            case prices.quantity_rounding
                when 'up' then cast(ceil(listed.item.quantity / prices.quantity_divided_by) as bigint)
                when 'down' then listed.item.quantity // prices.quantity_divided_by
            end,
            listed.item.quantity, 1
        ) as quantity,
        prices.tiers_mode,
        coalesce(prices.tiers, []) as tiers
    from listed
    left join prices on listed.connection || ':' || listed.item.price.id = prices.price_key
),

tiered as (
    select
        version_id,
        item_no,
        quantity,
        tiers_mode,
        tiers[tier_no] as tier,
        coalesce(tiers[tier_no - 1].up_to, 0) as above
    from (
        select
            *,
            unnest(range(1, len(tiers) + 1)) as tier_no
        from counted
        where item.price.unit_amount_decimal is null
    )
),

-- Graduated: each tier for the units within it. Volume: the tier of the quantity for all units.
tier_sums as (
    select
        version_id,
        item_no,
        sum(
            cast(coalesce(tier.unit_amount_decimal, 0) as decimal(26, 12))
            * case
                when tiers_mode = 'volume' then quantity
                else least(quantity, coalesce(tier.up_to, quantity)) - above
            end
            + coalesce(tier.flat_amount_decimal, 0)
        ) as amount_minor
    from tiered
    where
        (quantity > above or above = 0)
        and (tiers_mode <> 'volume' or tier.up_to is null or quantity <= tier.up_to)
    group by version_id, item_no
),

items as (
    select
        counted.version_id,
        counted.connection,
        counted.item_no,
        counted.item,
        cast({{ monthly_amount(
            'cast(coalesce(counted.item.price.unit_amount_decimal * counted.quantity,'
            ~ ' tier_sums.amount_minor) as decimal(26, 12))',
            'counted.item.price.recurring."interval"',
            'counted.item.price.recurring.interval_count') }} as decimal(28, 8)) as monthly_minor
    from counted
    left join tier_sums
        on counted.version_id = tier_sums.version_id and counted.item_no = tier_sums.item_no
    where coalesce(counted.item.price.unit_amount_decimal, tier_sums.amount_minor) is not null
),

coupons as (
    select *
    from {{ ref('stg_stripe__coupons') }}
    where has_content
    qualify
        row_number() over (
            partition by coupon_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

customer_versions as (
    select
        customer_key,
        discount,
        coalesce(source_updated_at, observed_at) as shown_at,
        lead(coalesce(source_updated_at, observed_at)) over (
            partition by customer_key
            order by observed_at, sync_id, position
        ) as next_shown_at
    from (
        select
            *,
            count(discount) over (partition by customer_key) as n_discounts
        from {{ ref('stg_stripe__customers') }}
    )
    where n_discounts > 0
),

-- What a customer's discount was from one look at the customer to the next.
customer_discounts as (
    select
        customer_key,
        any_value(discount) as discount,
        case when bool_or(next_shown_at is null) then null else max(next_shown_at) end as gone_at
    from customer_versions
    where discount is not null
    group by customer_key, json_extract_string(discount, '$.id')
),

named_discounts as (
    select
        raw_version_id as version_id,
        connection,
        currency_code,
        recurring_interval,
        recurring_interval_count,
        cast(null as bigint) as item_no,
        discounts[place] as discount,
        cast(null as {{ instant_type() }}) as gone_at,
        place
    from (
        select
            *,
            unnest(range(1, len(discounts) + 1)) as place
        from subscriptions
    )
    union all
    select
        subscriptions.raw_version_id,
        subscriptions.connection,
        subscriptions.currency_code,
        subscriptions.recurring_interval,
        subscriptions.recurring_interval_count,
        null,
        customer_discounts.discount,
        customer_discounts.gone_at,
        1
    from subscriptions
    inner join customer_discounts on subscriptions.customer_key = customer_discounts.customer_key
    where len(subscriptions.discounts) = 0
    union all
    select
        version_id,
        connection,
        currency_code,
        recurring_interval,
        recurring_interval_count,
        item_no,
        item.discounts[place],
        null,
        place
    from (
        select
            items.*,
            subscriptions.currency_code,
            items.item.price.recurring."interval" as recurring_interval,
            items.item.price.recurring.interval_count as recurring_interval_count,
            unnest(range(1, len(coalesce(items.item.discounts, [])) + 1)) as place
        from items
        inner join subscriptions on items.version_id = subscriptions.raw_version_id
    )
),

-- A coupon is shown whole, or by its id: since 2025-09-30 under "source".
read_discounts as (
    select
        *,
        coalesce(
            nullif(json_extract(discount, '$.source.coupon'), 'null'),
            nullif(json_extract(discount, '$.coupon'), 'null')
        ) as coupon
    from named_discounts
),

worded as (
    select
        read_discounts.*,
        coalesce(coupons.duration, json_extract_string(coupon, '$.duration')) as duration,
        coalesce(
            coupons.percent_off, {{ try_cast_to(
                "json_extract_string(coupon, '$.percent_off')", 'decimal(9, 4)') }}
        ) as percent_off,
        coalesce(coupons.currency_code, upper(json_extract_string(coupon, '$.currency')))
            as coupon_currency_code,
        coalesce(
            coupons.amount_off_minor,
            {{ try_cast_to("json_extract_string(coupon, '$.amount_off')", 'bigint') }}
        ) as amount_off_minor,
        coalesce(coupons.currency_options, json_extract(coupon, '$.currency_options'))
            as currency_options,
        coupons.product_ids,
        {{ stripe_instant("try_cast(json_extract_string(discount, '$.start') as bigint)") }}
            as starts_at,
        {{ stripe_instant("try_cast(json_extract_string(discount, '$.end') as bigint)") }}
            as stated_end_at
    from read_discounts
    left join coupons
        on
            read_discounts.connection || ':' || coalesce(
                json_extract_string(read_discounts.coupon, '$.id'),
                json_extract_string(read_discounts.coupon, '$')
            ) = coupons.coupon_key
),

discounts as (
    select
        version_id,
        item_no,
        case
            when item_no is null and len(product_ids) > 0 then (
                select list(items.item_no)
                from items
                where
                    items.version_id = worded.version_id
                    and list_contains(worded.product_ids, {{ stripe_id('items.item.price.product') }})
            )
        end as item_nos,
        place,
        percent_off,
        cast({{ monthly_amount(
            'cast(case when coupon_currency_code = currency_code then amount_off_minor else'
            ~ " try_cast(json_extract_string(currency_options, concat('$.', lower(currency_code),"
            ~ " '.amount_off')) as bigint) end as decimal(26, 8))",
            'recurring_interval', 'recurring_interval_count') }} as decimal(28, 8))
            as monthly_off_minor,
        starts_at,
        least(stated_end_at, gone_at) as ends_at
    from worded
    where duration in ('repeating', 'forever')
),

costs as (
    {{ discounted_months('items', 'discounts') }}
),

valued as (
    select
        subscriptions.*,
        costs.monthly_minor,
        costs.steps,
        scales.minor_digits
    from subscriptions
    left join costs on subscriptions.raw_version_id = costs.version_id
    left join {{ ref('stripe_currency_scales') }} as scales
        on subscriptions.currency_code = scales.currency_code and scales.valid_to is null
)

select
    subscription_key,
    subscription_id,
    customer_key,
    'stripe' as source_system,
    connection,
    raw_version_id,
    case
        when is_paused then 'paused'
        when status in ('canceled', 'incomplete_expired') then 'cancelled'
        when status = 'trialing' then 'trial'
        when status in ('past_due', 'unpaid') then 'past_due'
        when status = 'incomplete' then 'pending'
        when status = 'paused' then 'paused'
        else 'active'
    end as status,
    currency_code,
    {{ stripe_money('monthly_minor', 'minor_digits') }} as monthly_amt,
    list_transform(steps, lambda one: {
        'until_at': one.until_at,
        'monthly_amt': {{ stripe_money('one.minor', 'minor_digits') }}
    }) as monthly_steps,
    is_deleted,
    started_at,
    trial_ends_at,
    ended_at,
    source_updated_at,
    observed_at,
    sync_id,
    position
from valued
