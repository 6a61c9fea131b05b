-- Grain: one row per won or open deal x credit type x credited user at the instant that
-- counts (won_at of a won deal, the as-of of an open one), with the part of the amount.

with deals as (
    select
        *,
        case status
            when 'won' then coalesce(won_at, {{ start_of_day('closed_date') }})
            else {{ as_of_at() }}
        end as credited_at
    from {{ ref('fct_deal') }}
    where status in ('won', 'open') and not is_deleted and not is_excluded
),

bridge as (
    select * from {{ ref('bridge_deal_credit') }}
),

stated as (
    select
        deals.deal_key,
        bridge.credit_type,
        bridge.user_key,
        sum(bridge.share) as share
    from deals
    inner join bridge
        on
            deals.deal_key = bridge.deal_key
            and deals.credited_at >= bridge.valid_from
            and deals.credited_at < coalesce(bridge.valid_to, {{ far_future() }})
    group by deals.deal_key, bridge.credit_type, bridge.user_key
),

-- No credit row at that instant: the owner of the time has all of it.
owners as (
    select
        deals.deal_key,
        'revenue' as credit_type,
        coalesce(deals.owner_at_won_user_key, deals.owner_user_key, 'unknown') as user_key,
        cast(1 as decimal(9, 6)) as share
    from deals
    where
        not exists (
            select 1
            from stated
            where stated.deal_key = deals.deal_key and stated.credit_type = 'revenue'
        )
),

shares as (
    select
        deal_key,
        credit_type,
        user_key,
        share
    from stated
    union all
    select
        deal_key,
        credit_type,
        user_key,
        share
    from owners
),

running as (
    select
        *,
        sum(share) over (
            partition by deal_key, credit_type order by user_key rows unbounded preceding
        ) as running_share
    from shares
),

credits as (
    select
        deal_key,
        credit_type,
        user_key,
        share,
        -- Thirds written as 0.333333 are thirds.
        case
            when abs(running_share - 1) <= 0.00001 then 1
            else running_share
        end as share_to,
        running_share - share as share_from
    from running
),

valued as (
    select
        deals.deal_key,
        credits.credit_type,
        credits.user_key,
        credits.share,
        deals.status,
        deals.measure,
        deals.pipeline_key,
        deals.closed_date,
        deals.expected_close_date,
        coalesce(deals.forecast_category, '') = 'omitted' as is_omitted,
        deals.credited_at,
        case deals.status when 'won' then deals.amount_at_won_rc else deals.amount_rc end
            as deal_amount_rc,
        cast(deals.probability as decimal(9, 6)) as probability,
        cast(credits.share_from as decimal(9, 6)) as share_from,
        cast(credits.share_to as decimal(9, 6)) as share_to
    from deals
    inner join credits on deals.deal_key = credits.deal_key
),

parted as (
    select
        credits.*,
        {{ credited_part('credits.deal_amount_rc') }} as amount_rc
    from valued as credits
),

final as (
    select
        credits.deal_key,
        credits.credit_type,
        credits.user_key,
        credits.share,
        credits.share_from,
        credits.share_to,
        credits.status,
        credits.measure,
        credits.pipeline_key,
        credits.closed_date,
        credits.expected_close_date,
        credits.is_omitted,
        credits.credited_at,
        credits.deal_amount_rc,
        credits.amount_rc,
        -- Of the part, which is whole cents: what is likely is never more than what is open.
        {{ round_money(
            "cast(credits.amount_rc as decimal(24, 4)) * cast(credits.probability as decimal(7, 6))",
            "'" ~ var('reporting_currency') ~ "'"
        ) }} as weighted_rc
    from parted as credits
)

select * from final
