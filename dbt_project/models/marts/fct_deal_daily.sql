-- Grain: one row per deal x business date x basis, the deal as it stood at the end of that day.
-- From its first day to 90 days after it was closed, deleted or merged away; open deals to today.
--
-- A view: as a table it would hold a row for every day of every deal. A query that names dates or
-- deals reads only theirs (docs/decisions/0055).

{{ config(materialized='view') }}

with versions as (
    select
        *,
        'restated' as basis,
        valid_from as from_at,
        coalesce(valid_to, {{ far_future() }}) as to_at
    from {{ ref('fct_deal_version') }}
    union all
    -- What we held last: a version that we first saw together with a later one was never it.
    select
        *,
        'as_known' as basis,
        seen_from as from_at,
        coalesce(seen_to, {{ far_future() }}) as to_at
    from {{ ref('fct_deal_version') }}
    where seen_from < coalesce(seen_to, {{ far_future() }})
),

dates as (
    select
        date,
        {{ start_of_day('date + 1') }} as day_end_at
    from {{ ref('dim_date') }}
    where date <= {{ as_of_date() }}
),

stays as (
    select
        deal_key,
        entered_date,
        entered_at,
        coalesce(exited_at, {{ far_future() }}) as exited_at
    from {{ ref('fct_deal_stage') }}
),

firsts as (
    select
        deal_key,
        {{ company_date('valid_from') }} as first_date
    from {{ ref('fct_deal_version') }}
    where version_no = 1
),

told_pushes as (
    select
        deal_key,
        'restated' as basis,
        changed_at as pushed_at
    from {{ ref('fct_deal_change') }}
    where is_push
    union all
    select
        deal_key,
        'as_known' as basis,
        greatest(changed_at, seen_at) as pushed_at
    from {{ ref('fct_deal_change') }}
    where is_push
),

pushes as (
    select
        deal_key,
        basis,
        pushed_at as from_at,
        row_number() over w as n_pushes,
        lead(pushed_at, 1, {{ far_future() }}) over w as to_at
    from told_pushes
    window w as (partition by deal_key, basis order by pushed_at)
),

deals as (
    select
        deal_key,
        measure,
        is_excluded
    from {{ ref('fct_deal') }}
),

stages as (
    select
        stage_key,
        forecast_category
    from {{ ref('dim_stage') }}
    where is_current
),

rates as (
    {{ rates_by_basis() }}
),

standing as (
    select
        versions.*,
        dates.date,
        dates.day_end_at,
        stays.entered_date as stage_entered_date,
        case
            when versions.status <> 'open'
                then coalesce(stays.entered_date, {{ company_date('versions.valid_from') }})
        end as closed_date,
        case
            when versions.is_deleted or versions.is_merged_away
                then {{ company_date('versions.valid_from') }}
            when versions.status <> 'open'
                then coalesce(stays.entered_date, {{ company_date('versions.valid_from') }})
        end as ended_date
    from versions
    inner join dates
        on versions.from_at < dates.day_end_at and versions.to_at >= dates.day_end_at
    left join stays
        on
            versions.deal_key = stays.deal_key
            and versions.valid_from >= stays.entered_at
            and versions.valid_from < stays.exited_at
),

final as (
    select
        standing.deal_key,
        standing.survivor_deal_key,
        standing.deal_version_key,
        standing.basis,
        standing.name,
        standing.owner_user_key,
        standing.pipeline_key,
        standing.stage_key,
        standing.stage_type,
        standing.status,
        standing.currency_code,
        coalesce(standing.forecast_category, stages.forecast_category) as forecast_category,
        standing.loss_reason,
        standing.source_channel,
        coalesce(deals.measure, 'bookings') as measure,
        standing.change_precision,
        close_dates.quarter_period_key as period_key,
        standing.amount_amt,
        {{ convert_money(
            'standing.amount_amt', 'rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'"
        ) }} as amount_rc,
        standing.probability,
        {{ days_between('standing.stage_entered_date', 'standing.date') }} as days_in_stage,
        {{ days_between('firsts.first_date', 'standing.date') }} as deal_age_days,
        coalesce(pushes.n_pushes, 0) as n_pushes_to_date,
        standing.is_currency_assumed,
        standing.is_merged_away,
        coalesce(deals.is_excluded, false) as is_excluded,
        standing.expected_close_date,
        standing.closed_date,
        standing.date,
        standing.is_deleted,
        standing.source_system,
        standing.connection,
        standing.raw_version_id
    from standing
    inner join firsts
        on standing.deal_key = firsts.deal_key
    left join deals
        on standing.survivor_deal_key = deals.deal_key
    left join stages
        on standing.stage_key = stages.stage_key
    left join {{ ref('dim_date') }} as close_dates
        on standing.expected_close_date = close_dates.date
    left join pushes
        on
            standing.deal_key = pushes.deal_key
            and standing.basis = pushes.basis
            and standing.day_end_at > pushes.from_at
            and standing.day_end_at <= pushes.to_at
    left join rates
        on
            standing.basis = rates.basis
            and standing.currency_code = rates.currency_code
            and coalesce(standing.closed_date, standing.date) = rates.rate_date
    where
        standing.ended_date is null
        or standing.date <= standing.ended_date + {{ var('daily_days_after_close') }}
)

select * from final
