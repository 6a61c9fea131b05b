-- Grain: one row per model of probability (crm, learned) x decile of it: what was said at the
-- points of past quarters of the deals that are decided by now, and how it came out.
--
-- The learned probability of a point had seen nothing after it, so this is a test on deals that
-- were strange to it. Sums are of decimals: they do not depend on the order of the rows.

with said as (
    select
        open_deals.deal_key,
        open_deals.crm_probability,
        odds.p_win
    from {{ ref('int_forecast_open') }} as open_deals
    inner join {{ ref('int_forecast_points') }} as points
        on open_deals.point_key = points.point_key
    left join {{ ref('int_win_odds') }} as odds
        on
            open_deals.point_key = odds.point_key
            and open_deals.pipeline_key = odds.pipeline_key
            and open_deals.stage_key = odds.stage_key
            and open_deals.age_band = odds.age_band
            and open_deals.amount_band = odds.amount_band
    where points.grain = 'quarter' and not points.is_now and points.bucket <> 'today'
),

outcomes as (
    select
        deal_key,
        case outcome when 'won' then 1 else 0 end as is_won
    from {{ ref('int_deal_decisions') }}
    where ended_date is null
),

-- As many rows as there are probabilities, not deals.
stated as (
    {% for model, p in [('crm', 'crm_probability'), ('learned', 'p_win')] -%}
    select
        '{{ model }}' as model,
        said.{{ p }} as p,
        outcomes.is_won,
        count(*) as n,
        -- Certainty that was wrong would cost infinity: nobody is surer than one in a thousand.
        least(greatest(said.{{ p }}, 0.001), 0.999) as bounded_p
    from said
    inner join outcomes on said.deal_key = outcomes.deal_key
    where said.{{ p }} is not null
    group by said.{{ p }}, outcomes.is_won
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

scored as (
    select
        model,
        is_won,
        p,
        n,
        cast(least(floor(p * 10) + 1, 10) as bigint) as decile,
        cast((p - is_won) * (p - is_won) as decimal(18, 12)) as brier,
        cast(
            -ln(cast(case is_won when 1 then bounded_p else 1 - bounded_p end as double))
            as decimal(18, 12)
        ) as log_loss
    from stated
),

final as (
    select
        concat(model, '|', decile) as calibration_key,
        model,
        decile,
        cast(sum(n) as bigint) as n,
        {{ ratio('sum(n * p)', 'sum(n)') }} as mean_p,
        {{ ratio('sum(n * is_won)', 'sum(n)') }} as observed_rate,
        {{ ratio('sum(n * brier)', 'sum(n)') }} as brier,
        {{ ratio('sum(n * log_loss)', 'sum(n)') }} as log_loss,
        {{ as_of_date() }} as as_of_date
    from scored
    group by model, decile
)

select * from final
