-- Grain: one row per rule about the pipeline's movement (Q-07, Q-09) x record that breaks it.

with movement as (
    select * from {{ ref('mart_pipeline_movement') }}
),

gaps as (
    select
        period_key,
        measure,
        won_rc
    from {{ ref('mart_quota_gap') }}
    where scope_type = 'company' and credit_type = 'revenue' and period_grain = 'quarter'
),

-- One day: a view over every day would be computed for all of them.
today as (
    select
        deal_key,
        basis,
        measure,
        period_key,
        amount_rc,
        status = 'open' and not is_deleted and not is_merged_away and not is_excluded
        and (
            {{ var('movement_counts_omitted') }}
            or coalesce(forecast_category, '') <> 'omitted'
        ) as is_pipeline
    from {{ ref('fct_deal_daily') }}
    where date = {{ as_of_date() }}
),

broken as (
    select
        'Q-07' as check_id,
        'pipeline_movement' as record_type,
        pipeline_movement_key as record_key,
        residual_rc as value,
        cast(0 as {{ money_type() }}) as limit_value,
        'start and reasons do not come to the end' as detail
    from movement
    where residual_rc <> 0
    union all
    select
        'Q-07' as check_id,
        'pipeline_movement' as record_type,
        movement.pipeline_movement_key as record_key,
        movement.won_rc as value,
        gaps.won_rc as limit_value,
        'bookings are not what the quota gap counts as won' as detail
    from movement
    inner join gaps
        on movement.period_key = gaps.period_key and movement.measure = gaps.measure
    where
        movement.basis = 'restated'
        and movement.scope_type = 'company'
        and movement.ledger = 'bookings'
        and movement.movement_view = 'path'
        and movement.reason = 'end'
        and (movement.window_type = 'after' or movement.window_type = 'period' and movement.is_running)
        and movement.won_rc <> gaps.won_rc
    union all
    select
        'Q-09' as check_id,
        'deal_day' as record_type,
        concat(basis, '|', deal_key) as record_key,
        count(*) as value,
        1 as limit_value,
        'a deal has several rows on the day of the build' as detail
    from today
    group by basis, deal_key
    having count(*) > 1
    union all
    select
        'Q-09' as check_id,
        'pipeline_movement' as record_type,
        movement.pipeline_movement_key as record_key,
        movement.amount_rc as value,
        daily.open_rc as limit_value,
        'the pipeline''s end is not what is open today' as detail
    from movement
    left join (
        select
            basis,
            measure,
            period_key,
            sum(amount_rc) as open_rc
        from today
        where is_pipeline
        group by basis, measure, period_key
    ) as daily
        on
            movement.basis = daily.basis
            and movement.measure = daily.measure
            and movement.period_key = daily.period_key
    where
        movement.scope_type = 'company'
        and movement.period_grain = 'quarter'
        and movement.is_running
        and movement.window_type <> 'after'
        and movement.ledger = 'pipeline'
        and movement.movement_view = 'path'
        and movement.reason = 'end'
        and movement.amount_rc <> coalesce(daily.open_rc, 0)
),

final as (
    select
        check_id,
        'error' as severity,
        record_type,
        record_key,
        cast(null as varchar) as deal_key,
        cast(value as double) as value,
        cast(limit_value as double) as limit_value,
        detail,
        {{ as_of_at() }} as since_at
    from broken
)

select * from final
