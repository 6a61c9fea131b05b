-- Grain: one row per point of int_forecast_points x deal that was open then and due in the point's
-- period: what it was then, and whether it was won in the period.
--
-- As known: the version that was held at the point. Points before pipeledger held anything are
-- told from the vendors' histories (basis restated). Those know stages, amounts, dates and owners;
-- probability and category only count from when they were seen, and are the stage's before:
-- today's probability of a deal that was won since is 1.

{{ config(in_parts_of='fct_deal_version', in_parts_rows=0.15) }}

with points as (
    select * from {{ ref('int_forecast_points') }}
),

days as (
    select
        points.grain,
        points.period_key,
        dim_date.date as due_date
    from (select distinct grain, period_key, start_date, end_date from points) as points
    inner join {{ ref('dim_date') }} as dim_date
        on dim_date.date between points.start_date and points.end_date
),

deals as (
    select
        deal_key,
        measure
    from {{ ref('fct_deal') }}
    where not is_excluded
),

versions as not materialized (
    select
        deal_key,
        survivor_deal_key,
        owner_user_key,
        pipeline_key,
        stage_key,
        currency_code,
        amount_amt,
        probability,
        forecast_category,
        expected_close_date,
        is_current,
        valid_from,
        coalesce(valid_to, {{ far_future() }}) as valid_to,
        seen_from,
        coalesce(seen_to, {{ far_future() }}) as seen_to
    from {{ ref('fct_deal_version') }}
    where
        status = 'open'
        and not is_deleted
        and not is_merged_away
        and {{ is_in_part('deal_key') }}
),

due as (
    select
        versions.*,
        points.point_key,
        points.basis,
        points.as_of_date,
        points.cut_at,
        points.end_date,
        points.freeze_at,
        points.is_now,
        points.is_actual_as_known
    from versions
    inner join days on versions.expected_close_date = days.due_date
    inner join points
        on
            days.grain = points.grain
            and days.period_key = points.period_key
            and case points.basis
                when 'now' then versions.is_current
                when 'as_known'
                    then versions.seen_from <= points.cut_at and versions.seen_to > points.cut_at
                else versions.valid_from <= points.cut_at and versions.valid_to > points.cut_at
            end
    union all
    -- Due in no period to come: without a date, or with one that has passed.
    select
        versions.*,
        points.point_key,
        points.basis,
        points.as_of_date,
        points.cut_at,
        points.end_date,
        points.freeze_at,
        points.is_now,
        points.is_actual_as_known
    from versions
    cross join points
    where
        points.point_key = 'none@now'
        and versions.is_current
        and coalesce(versions.expected_close_date not in (
            select days.due_date
            from days
            inner join points as now_points on days.period_key = now_points.period_key
            where now_points.is_now and now_points.grain = 'quarter'
        ), true)
),

stages as (
    select
        stage_key,
        probability,
        forecast_category,
        is_current,
        case when is_first_version then cast('1970-01-01 00:00:00+00' as {{ instant_type() }})
            else valid_from end as valid_from,
        coalesce(valid_to, {{ far_future() }}) as valid_to
    from {{ ref('dim_stage') }}
),

stays as (
    select
        deal_key,
        stage_key,
        amount_at_entry_rc,
        entered_at,
        entered_date,
        coalesce(exited_at, {{ far_future() }}) as exited_at
    from {{ ref('fct_deal_stage') }}
    where stage_type = 'open' and {{ is_in_part('deal_key') }}
),

rates as (
    {{ rates_by_basis() }}
),

wins as (
    select
        deal_key,
        decided_at,
        decided_date,
        ended_at,
        seen_from,
        previous_at
    from {{ ref('int_deal_decisions') }}
    where outcome = 'won' and {{ is_in_part('deal_key') }}
),

described as (
    select
        due.*,
        deals.measure,
        {{ convert_money(
            'due.amount_amt', 'rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'"
        ) }} as amount_rc,
        {{ open_category('coalesce('
            ~ 'case when due.basis <> \'restated\' then due.forecast_category end,'
            ~ ' stages.forecast_category)') }} as category,
        coalesce(
            case when due.basis <> 'restated' then {{ sound_probability('due.probability') }} end,
            {{ sound_probability('stages.probability') }}
        ) as crm_probability,
        {{ days_between(
            'coalesce(stays.entered_date, ' ~ company_date('due.valid_from') ~ ')',
            'due.as_of_date'
        ) }} as days_in_stage,
        stays.amount_at_entry_rc
    from due
    inner join deals on due.survivor_deal_key = deals.deal_key
    left join rates
        on
            due.currency_code = rates.currency_code
            and due.as_of_date = rates.rate_date
            and case due.basis when 'as_known' then 'as_known' else 'restated' end = rates.basis
    left join stages
        on
            due.stage_key = stages.stage_key
            and case
                when due.is_now then stages.is_current
                else due.cut_at >= stages.valid_from and due.cut_at < stages.valid_to
            end
    left join stays
        on
            due.deal_key = stays.deal_key
            and due.stage_key = stays.stage_key
            and due.cut_at >= stays.entered_at
            and due.cut_at < stays.exited_at
),

final as (
    select
        described.point_key,
        described.deal_key,
        described.survivor_deal_key,
        described.owner_user_key,
        described.pipeline_key,
        described.stage_key,
        described.measure,
        described.category,
        described.amount_rc,
        described.crm_probability,
        described.days_in_stage,
        {{ age_band('described.days_in_stage') }} as age_band,
        {{ amount_band('described.amount_at_entry_rc') }} as amount_band,
        wins.decided_date as next_won_date,
        coalesce(
            wins.decided_date <= described.end_date
            and wins.ended_at > described.freeze_at
            and (not described.is_actual_as_known or wins.seen_from <= described.freeze_at),
            false
        ) as is_won_in_period
    from described
    -- The next win after the point; as known, one that was only heard of after it is one too.
    left join wins
        on
            described.deal_key = wins.deal_key
            and described.cut_at <= case
                when described.basis = 'as_known' then greatest(wins.decided_at, wins.seen_from)
                else wins.decided_at
            end
            and (
                wins.previous_at is null
                or described.cut_at > wins.previous_at
            )
            and not described.is_now
)

select * from final
