-- Grain: one row per product of a Pipedrive deal x version of the deal's set since the product
-- was first seen in it: a product that a set leaves out is gone.

with sets as (
    select * from {{ ref('stg_pipedrive__deal_products') }}
),

listed as (
    select
        deal_key,
        raw_version_id,
        observed_at,
        sync_id,
        position,
        unnest(products) as line
    from sets
    where has_content
),

known as (
    select
        deal_key,
        line.id as line_id,
        arg_max(line, (observed_at, sync_id, position)) as last_shown,
        min((observed_at, sync_id, position)) as first_shown
    from listed
    where line.id is not null
    group by deal_key, line.id
),

versions as (
    select
        sets.deal_key,
        sets.connection,
        sets.change,
        sets.observed_at,
        sets.sync_id,
        sets.position,
        sets.raw_version_id,
        known.line_id,
        listed.line is null
        or sets.is_deleted
        or coalesce(listed.line.is_deleted, false)
        or not coalesce(listed.line.is_enabled, true) as is_line_gone,
        coalesce(listed.line, known.last_shown) as line
    from sets
    inner join known
        on
            sets.deal_key = known.deal_key
            and (sets.observed_at, sets.sync_id, sets.position) >= known.first_shown
    left join listed
        on sets.raw_version_id = listed.raw_version_id and known.line_id = listed.line.id
),

priced as (
    select
        *,
        upper(line.currency) as currency_code,
        cast(line.quantity as decimal(18, 6)) * cast(line.item_price as decimal(18, 4))
            as full_price,
        case line.discount_type
            when 'amount' then coalesce(line.discount, 0)
            else cast(
                cast(line.quantity as decimal(18, 6)) * cast(line.item_price as decimal(18, 4))
                as decimal(24, 4)
            ) * cast(coalesce(line.discount, 0) / 100 as decimal(9, 6))
        end as discount
    from versions
),

taxed as (
    select
        *,
        -- Inclusive prices hold their tax; the vendor's own sum holds it either way.
        case
            when line.tax_method = 'none' or coalesce(line.tax, 0) = 0 then 0
            when line.tax_method = 'inclusive'
                then (full_price - discount)
                - cast(cast(full_price - discount as double) / (1 + cast(line.tax as double) / 100)
                    as decimal(38, 9))
            else cast(full_price - discount as decimal(24, 4))
                * cast(line.tax / 100 as decimal(9, 6))
        end as tax
    from priced
)

select
    concat(connection, ':', line_id) as quote_line_key,
    line_id,
    'pipedrive' as source_system,
    connection,
    deal_key as stated_deal_key,
    connection || ':' || line.product_id as product_key,
    line.name as product_name,
    case line.billing_frequency
        when 'weekly' then 'week'
        when 'monthly' then 'month'
        when 'quarterly' then 'quarter'
        when 'semi-annually' then 'half_year'
        when 'annually' then 'year'
        else 'one_time'
    end as billing_interval,
    currency_code,
    line.quantity as quantity,
    line.item_price as unit_price_amt,
    {{ round_money('discount', 'currency_code') }} as discount_amt,
    case line.tax_method
        when 'inclusive' then
            {{ round_money('full_price - discount', 'currency_code') }}
            - {{ round_money('tax', 'currency_code') }}
        else {{ round_money('full_price - discount', 'currency_code') }}
    end as net_amt,
    {{ round_money('tax', 'currency_code') }} as tax_amt,
    line.billing_start_date as service_start,
    case when is_line_gone then 'deleted' else change end as change,
    is_line_gone as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from taxed
