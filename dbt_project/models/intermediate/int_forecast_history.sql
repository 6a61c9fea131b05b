-- Grain: one row per point of int_forecast_points x scope x measure that has earlier periods: what the
-- last eight frozen ones say about the same share of a period. No point knows a period whose
-- books were not frozen by then.

with scoped as (
    select * from {{ ref('int_forecast_scoped') }}
),

earlier as (
    select
        scoped.point_key,
        scoped.scope_type,
        scoped.scope_key,
        scoped.measure,
        past.n_open,
        past.open_rc,
        past.converted_rc,
        past.won_rc,
        past.actual_rc,
        -- Business that was not in sight at that share of its period: created, pulled in, enlarged.
        past.actual_rc - past.won_rc - past.converted_rc as unforeseen_rc
    from scoped
    inner join scoped as past
        on
            scoped.grain = past.grain
            and scoped.bucket = past.bucket
            and scoped.scope_type = past.scope_type
            and scoped.scope_key = past.scope_key
            and scoped.measure = past.measure
            and past.period_no between scoped.last_frozen_no - 7 and scoped.last_frozen_no
            and not past.is_now
),

final as (
    select
        point_key,
        scope_type,
        scope_key,
        measure,
        count(*) as n_periods,
        count(*) filter (where n_open > 0) as n_periods_open,
        count(*) filter (where actual_rc > 0) as n_periods_won,
        -- Fewer than four periods teach nothing.
        case
            when count(*) filter (where n_open > 0) >= 4
                then {{ ratio('sum(open_rc)', 'sum(converted_rc)') }}
        end as required_coverage,
        case
            when count(*) filter (where n_open > 0) >= 4
                then {{ ratio('sum(converted_rc)', 'sum(open_rc)') }}
        end as conversion,
        case when count(*) >= 4 then median(unforeseen_rc) end as unforeseen_rc,
        case
            when count(*) filter (where actual_rc > 0) >= 4
                then {{ ratio(
                    'sum(cast(' ~ ratio('won_rc', 'actual_rc') ~ ' as decimal(18, 9)))'
                    ~ ' filter (where actual_rc > 0)',
                    'count(*) filter (where actual_rc > 0)'
                ) }}
        end as won_share
    from earlier
    group by point_key, scope_type, scope_key, measure
)

select * from final
