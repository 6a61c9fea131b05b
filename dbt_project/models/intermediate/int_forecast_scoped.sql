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
        decisions.deal_key,
        decisions.measure,
        won_shares.user_key is not null as is_shared,
        decisions.decided_date,
        decisions.decided_at,
        decisions.ended_at,
        decisions.seen_from,
        coalesce(won_shares.user_key, decisions.owner_user_key) as user_key,
        {% for amount in ['amount_rc', 'amount_known_rc'] -%}
            case
                when won_shares.user_key is null then decisions.{{ amount }}
                else {{ declared_part('decisions.' ~ amount, 'won_shares') }}
            end as {{ amount }}{{ ',' if not loop.last }}
        {% endfor %}
    from decisions
    left join won_shares
        on
            decisions.deal_key = won_shares.deal_key
            and decisions.decided_at = won_shares.decided_at
),

-- From one change of a person's scopes to the next: added up by these, a million wins are few
-- rows before they are spread over scopes.
spells as (
    select
        user_key,
        valid_from,
        lead(valid_from, 1, {{ far_future() }}) over (
            partition by user_key order by valid_from
        ) as valid_to
    from (select distinct user_key, valid_from from scopes) as changes
),

won_by_spell as (
    select
        points.point_key,
        spells.user_key,
        spells.valid_from,
        won.measure,
        {% set is_won_by_now -%}
            won.decided_at < points.cut_at
            and won.ended_at > points.cut_at
            and (points.basis <> 'as_known' or won.seen_from <= points.cut_at)
        {%- endset -%}
        sum(
            case points.basis when 'as_known' then won.amount_known_rc else won.amount_rc end
        ) filter (where {{ is_won_by_now }}) as won_rc,
        count(*) filter (where {{ is_won_by_now }} and not won.is_shared) as n_whole,
        -- As known when the books of the period were frozen.
        sum(
            case when points.is_actual_as_known then won.amount_known_rc else won.amount_rc end
        ) filter (
            where
            won.ended_at > points.freeze_at
            and (not points.is_actual_as_known or won.seen_from <= points.freeze_at)
        ) as actual_rc
    from won
    inner join spells
        on
            won.user_key = spells.user_key
            and won.decided_at >= spells.valid_from
            and won.decided_at < spells.valid_to
    inner join days on won.decided_date = days.date
    inner join points on days.period_key = points.period_key
    group by points.point_key, spells.user_key, spells.valid_from, won.measure
),

-- What a person won belongs to the team of that day.
won_at_points as (
    select
        won_by_spell.point_key,
        scopes.scope_type,
        scopes.scope_key,
        won_by_spell.measure,
        sum(won_by_spell.won_rc) as won_rc,
        sum(won_by_spell.n_whole) as n_whole,
        sum(won_by_spell.actual_rc) as actual_rc
    from won_by_spell
    inner join scopes
        on {{ scope_at('scopes', 'won_by_spell.user_key', 'won_by_spell.valid_from') }}
    group by
        won_by_spell.point_key, scopes.scope_type, scopes.scope_key, won_by_spell.measure
),

-- A deal that two people of one team share is one deal.
shared_wins as (
    select
        points.point_key,
        scopes.scope_type,
        scopes.scope_key,
        won.measure,
        count(distinct won.deal_key) as n_shared
    from won
    inner join scopes on {{ scope_at('scopes', 'won.user_key', 'won.decided_at') }}
    inner join days on won.decided_date = days.date
    inner join points on days.period_key = points.period_key
    where won.is_shared and {{ is_won_by_now }}
    group by points.point_key, scopes.scope_type, scopes.scope_key, won.measure
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
        open_shares.user_key is not null as is_shared,
        coalesce(open_shares.user_key, open_deals.owner_user_key) as user_key,
        case
            when open_shares.user_key is null then open_deals.amount_rc
            else {{ declared_part('open_deals.amount_rc', 'open_shares') }}
        end as amount_rc
    from open_deals
    left join open_shares
        on
            open_deals.point_key = open_shares.point_key
            and open_deals.survivor_deal_key = open_shares.survivor_deal_key
),

-- The variance of a sum of deals that come or not: each its amount squared x p x (1 - p). A square
-- is rounded before it is added: sums of decimals do not depend on the order of the rows.
-- What is likely is rounded of the part, which is whole cents: never more than what is open.
spread as (
    select
        *,
        {% for name, p in [('crm', 'crm_probability'), ('learned', 'p_win_in_period')] -%}
            {{ round_money(
                'cast(amount_rc as decimal(24, 4)) * cast(' ~ p ~ ' as decimal(7, 6))',
                "'" ~ var('reporting_currency') ~ "'"
            ) }} as {{ name }}_rc,
            cast(
                cast(amount_rc as double) * cast(amount_rc as double)
                * cast({{ p }} as double) * (1 - cast({{ p }} as double)) as decimal(38, 2)
            ) as {{ name }}_variance{{ ',' if not loop.last }}
        {% endfor %}
    from credited
),

open_by_user as (
    select
        point_key,
        cut_at,
        user_key,
        measure,
        count(*) as n,
        count(p_win_in_period) as n_learned,
        count(*) filter (where not is_shared) as n_whole,
        sum(amount_rc) as open_rc,
        {% for category in ['commit', 'most_likely', 'best_case'] -%}
            sum(amount_rc) filter (where category = '{{ category }}') as {{ category }}_rc,
        {% endfor -%}
        sum(crm_rc) as crm_rc,
        sum(learned_rc) as learned_rc,
        sum(crm_variance) as crm_variance,
        sum(learned_variance) as learned_variance,
        sum(amount_rc) filter (where is_won_in_period) as converted_rc
    from spread
    group by point_key, cut_at, user_key, measure
),

open_at_points as (
    select
        open_by_user.point_key,
        scopes.scope_type,
        scopes.scope_key,
        open_by_user.measure,
        sum(open_by_user.n_whole) as n_whole,
        {% for part in [
            'open_rc', 'commit_rc', 'most_likely_rc', 'best_case_rc', 'crm_rc', 'crm_variance',
            'learned_variance', 'converted_rc',
        ] -%}
            coalesce(sum(open_by_user.{{ part }}), 0) as {{ part }},
        {% endfor -%}
        -- Nothing to learn from: unknown, and not nothing.
        case
            when sum(open_by_user.n) = sum(open_by_user.n_learned)
                then coalesce(sum(open_by_user.learned_rc), 0)
        end as learned_rc
    from open_by_user
    inner join scopes on {{ scope_at('scopes', 'open_by_user.user_key', 'open_by_user.cut_at') }}
    group by
        open_by_user.point_key, scopes.scope_type, scopes.scope_key, open_by_user.measure
),

shared_open as (
    select
        credited.point_key,
        scopes.scope_type,
        scopes.scope_key,
        credited.measure,
        count(distinct credited.deal_key) as n_shared
    from credited
    inner join scopes on {{ scope_at('scopes', 'credited.user_key', 'credited.cut_at') }}
    where credited.is_shared
    group by credited.point_key, scopes.scope_type, scopes.scope_key, credited.measure
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
        coalesce(won.n_whole, 0) + coalesce(shared_wins.n_shared, 0) as n_won,
        coalesce(won.won_rc, 0) as won_rc,
        case when points.is_frozen then coalesce(won.actual_rc, 0) end as actual_rc,
        coalesce(open_then.n_whole, 0) + coalesce(shared_open.n_shared, 0) as n_open,
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
    {% for shared, whole in [('shared_wins', 'won'), ('shared_open', 'open_then')] -%}
        left join {{ shared }}
            on
                {{ whole }}.point_key = {{ shared }}.point_key
                and {{ whole }}.scope_type = {{ shared }}.scope_type
                and {{ whole }}.scope_key = {{ shared }}.scope_key
                and {{ whole }}.measure = {{ shared }}.measure
    {% endfor -%}
)

select * from final
