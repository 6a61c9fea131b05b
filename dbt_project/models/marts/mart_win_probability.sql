-- Grain: one row per open deal, as of the build.

with open_deals as (
    select open_deals.*
    from {{ ref('int_forecast_open') }} as open_deals
    inner join {{ ref('int_forecast_points') }} as points
        on open_deals.point_key = points.point_key
    where points.is_now and coalesce(points.grain, 'quarter') = 'quarter'
),

final as (
    select
        open_deals.deal_key,
        open_deals.owner_user_key,
        open_deals.pipeline_key,
        open_deals.stage_key,
        case when open_deals.point_key <> 'none@now' then split_part(open_deals.point_key, '@', 1) end
            as period_key,
        open_deals.measure,
        open_deals.category as forecast_category,
        open_deals.amount_band,
        coalesce(odds.finest_cell, 'nothing') as finest_cell,
        open_deals.amount_rc,
        odds.p_win,
        odds.p_win_in_period,
        open_deals.crm_probability,
        cast(open_deals.age_band as bigint) as age_band_from_day,
        open_deals.days_in_stage,
        coalesce(odds.n_training, 0) as n_training,
        coalesce(odds.n_training_won, 0) as n_training_won,
        {{ as_of_date() }} as as_of_date
    from open_deals
    left join {{ ref('int_win_odds') }} as odds
        on
            open_deals.point_key = odds.point_key
            and open_deals.pipeline_key = odds.pipeline_key
            and open_deals.stage_key = odds.stage_key
            and open_deals.age_band = odds.age_band
            and open_deals.amount_band = odds.amount_band
)

select * from final
