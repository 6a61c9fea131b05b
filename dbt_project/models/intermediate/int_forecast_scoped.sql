-- Grain: one row per point of int_forecast_points x scope x measure: what the scope had won by then,
-- what it had open and due in the period, by what the deals were called and how likely they
-- were, and what the period came to. Revenue credit, in the reporting currency.

with points as (
    select * from {{ ref('int_forecast_points') }}
    where period_key is not null
),

-- The days of the periods: an equality finds a win's period faster than a range.
days as (
    select
        periods.period_key,
        dim_date.date
    from (select distinct period_key, start_date, end_date from points) as periods
    inner join {{ ref('dim_date') }} as dim_date
        on dim_date.date between periods.start_date and periods.end_date
),

scopes as (
    select * from {{ ref('int_user_scopes') }}
),

-- A deal without declared shares is its owner's of the time.
declared as (
    select
        deal_key,
        user_key,
        share,
        valid_from,
        coalesce(valid_to, {{ far_future() }}) as valid_to
    from {{ ref('bridge_deal_credit') }}
    where credit_type = 'revenue' and not is_default
),

decisions as (
    select * from {{ ref('int_deal_decisions') }}
    where outcome = 'won'
),

won_shares as (
    select
        decisions.deal_key,
        decisions.decided_at,
        declared.user_key,
        declared.share,
        sum(declared.share) over (
            partition by decisions.deal_key, decisions.decided_at
            order by declared.user_key, declared.valid_from rows unbounded preceding
        ) as running_share
    from decisions
    inner join declared
        on
            decisions.deal_key = declared.deal_key
            and decisions.decided_at >= declared.valid_from
            and decisions.decided_at < declared.valid_to
),

won as (
    select
        decisions.measure,
        decisions.decided_date,
        decisions.decided_at,
        decisions.ended_at,
        decisions.seen_from,
        coalesce(won_shares.user_key, decisions.owner_user_key) as user_key,
        case
            when won_shares.user_key is null then decisions.amount_rc
            else {{ declared_part('decisions.amount_rc', 'won_shares') }}
        end as amount_rc
    from decisions
    left join won_shares
        on
            decisions.deal_key = won_shares.deal_key
            and decisions.decided_at = won_shares.decided_at
),

won_in_scope as (
    select
        scopes.scope_type,
        scopes.scope_key,
        won.measure,
        won.decided_date,
        won.decided_at,
        won.ended_at,
        won.seen_from,
        won.amount_rc
    from won
    inner join scopes on {{ scope_at('scopes', 'won.user_key', 'won.decided_at') }}
),

-- By now: what a person won belongs to the team of that day.
won_at_points as (
    select
        points.point_key,
        won_in_scope.scope_type,
        won_in_scope.scope_key,
        won_in_scope.measure,
        sum(won_in_scope.amount_rc) filter (
            where
            won_in_scope.decided_at < points.cut_at
            and won_in_scope.ended_at > points.cut_at
            and (points.basis <> 'as_known' or won_in_scope.seen_from <= points.cut_at)
        ) as won_rc,
        count(*) filter (
            where
            won_in_scope.decided_at < points.cut_at
            and won_in_scope.ended_at > points.cut_at
            and (points.basis <> 'as_known' or won_in_scope.seen_from <= points.cut_at)
        ) as n_won,
        -- As known when the books of the period were frozen.
        sum(won_in_scope.amount_rc) filter (
            where
            won_in_scope.ended_at > points.freeze_at
            and (not points.is_actual_as_known or won_in_scope.seen_from <= points.freeze_at)
        ) as actual_rc
    from won_in_scope
    inner join days on won_in_scope.decided_date = days.date
    inner join points on days.period_key = points.period_key
    group by
        points.point_key, won_in_scope.scope_type, won_in_scope.scope_key, won_in_scope.measure
),

-- A credit deal (amount below nothing) is no pipeline, an omitted one is never forecast.
open_deals as (
    select
        open_deals.*,
        points.cut_at,
        odds.p_win_in_period
    from {{ ref('int_forecast_open') }} as open_deals
    inner join points on open_deals.point_key = points.point_key
    left join {{ ref('int_win_odds') }} as odds
        on
            open_deals.point_key = odds.point_key
            and open_deals.pipeline_key = odds.pipeline_key
            and open_deals.stage_key = odds.stage_key
            and open_deals.age_band = odds.age_band
            and open_deals.amount_band = odds.amount_band
    where
        open_deals.category <> 'omitted'
        and coalesce(open_deals.amount_rc >= 0, true)
),

open_shares as (
    select
        open_deals.point_key,
        open_deals.survivor_deal_key,
        declared.user_key,
        declared.share,
        sum(declared.share) over (
            partition by open_deals.point_key, open_deals.survivor_deal_key
            order by declared.user_key, declared.valid_from rows unbounded preceding
        ) as running_share
    from (select distinct point_key, survivor_deal_key, cut_at from open_deals) as open_deals
    inner join declared
        on
            open_deals.survivor_deal_key = declared.deal_key
            and open_deals.cut_at >= declared.valid_from
            and open_deals.cut_at < declared.valid_to
),

credited as (
    select
        open_deals.point_key,
        open_deals.deal_key,
        open_deals.cut_at,
        open_deals.measure,
        open_deals.category,
        open_deals.crm_probability,
        open_deals.p_win_in_period,
        open_deals.is_won_in_period,
        coalesce(open_shares.user_key, open_deals.owner_user_key) as user_key,
        case
            when open_shares.user_key is null then open_deals.amount_rc
            else {{ declared_part('open_deals.amount_rc', 'open_shares') }}
        end as amount_rc,
        {% for name, p in [('crm', 'crm_probability'), ('learned', 'p_win_in_period')] -%}
            {{ round_money(
                'cast(open_deals.amount_rc as decimal(24, 4))'
                ~ ' * cast(coalesce(open_shares.share, 1) as decimal(7, 6))'
                ~ ' * cast(open_deals.' ~ p ~ ' as decimal(7, 6))',
                "'" ~ var('reporting_currency') ~ "'"
            ) }} as {{ name }}_rc{{ ',' if not loop.last }}
        {% endfor %}
    from open_deals
    left join open_shares
        on
            open_deals.point_key = open_shares.point_key
            and open_deals.survivor_deal_key = open_shares.survivor_deal_key
),

-- The variance of a sum of deals that come or not: each its amount squared x p x (1 - p). A square
-- is rounded before it is added: sums of decimals do not depend on the order of the rows.
spread as (
    select
        *,
        {% for name, p in [('crm', 'crm_probability'), ('learned', 'p_win_in_period')] -%}
            cast(
                cast(amount_rc as double) * cast(amount_rc as double)
                * cast({{ p }} as double) * (1 - cast({{ p }} as double)) as decimal(38, 2)
            ) as {{ name }}_variance{{ ',' if not loop.last }}
        {% endfor %}
    from credited
),

open_at_points as (
    select
        spread.point_key,
        scopes.scope_type,
        scopes.scope_key,
        spread.measure,
        count(distinct spread.deal_key) as n_open,
        coalesce(sum(spread.amount_rc), 0) as open_rc,
        {% for category in ['commit', 'most_likely', 'best_case'] -%}
            coalesce(sum(spread.amount_rc) filter (where spread.category = '{{ category }}'), 0)
                as {{ category }}_rc,
        {% endfor -%}
        coalesce(sum(spread.crm_rc), 0) as crm_rc,
        -- Nothing to learn from: unknown, and not nothing.
        case
            when count(*) = count(spread.p_win_in_period) then coalesce(sum(spread.learned_rc), 0)
        end as learned_rc,
        coalesce(sum(spread.crm_variance), 0) as crm_variance,
        coalesce(sum(spread.learned_variance), 0) as learned_variance,
        coalesce(sum(spread.amount_rc) filter (where spread.is_won_in_period), 0) as converted_rc
    from spread
    inner join scopes on {{ scope_at('scopes', 'spread.user_key', 'spread.cut_at') }}
    group by spread.point_key, scopes.scope_type, scopes.scope_key, spread.measure
),

final as (
    select
        points.point_key,
        points.period_key,
        points.grain,
        points.period_no,
        points.bucket,
        coalesce(won.scope_type, open_then.scope_type) as scope_type,
        coalesce(won.scope_key, open_then.scope_key) as scope_key,
        coalesce(won.measure, open_then.measure) as measure,
        points.basis,
        points.is_now,
        points.is_frozen,
        points.rel_day,
        points.last_frozen_no,
        points.as_of_date,
        points.start_date,
        points.end_date,
        points.freeze_at,
        points.cut_at,
        coalesce(won.n_won, 0) as n_won,
        coalesce(won.won_rc, 0) as won_rc,
        case when points.is_frozen then coalesce(won.actual_rc, 0) end as actual_rc,
        coalesce(open_then.n_open, 0) as n_open,
        coalesce(open_then.open_rc, 0) as open_rc,
        coalesce(open_then.commit_rc, 0) as commit_rc,
        coalesce(open_then.most_likely_rc, 0) as most_likely_rc,
        coalesce(open_then.best_case_rc, 0) as best_case_rc,
        coalesce(open_then.crm_rc, 0) as crm_rc,
        case when open_then.point_key is null then 0 else open_then.learned_rc end as learned_rc,
        coalesce(open_then.crm_variance, 0) as crm_variance,
        coalesce(open_then.learned_variance, 0) as learned_variance,
        coalesce(open_then.converted_rc, 0) as converted_rc
    from won_at_points as won
    full outer join open_at_points as open_then
        on
            won.point_key = open_then.point_key
            and won.scope_type = open_then.scope_type
            and won.scope_key = open_then.scope_key
            and won.measure = open_then.measure
    inner join points on coalesce(won.point_key, open_then.point_key) = points.point_key
)

select * from final
