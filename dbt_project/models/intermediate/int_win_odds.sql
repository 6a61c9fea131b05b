-- Grain: one row per point of int_forecast_points x pipeline x stage x age band x amount band of
-- the deals open then: how likely such a deal is won at all, and won in the point's period.
--
-- A frequency table over the stays of the deals that were decided in the 24 months before the
-- point and stood so at it: a deal counts once for each stage and age band that it passed
-- through. Nothing that happened later is looked at: a deal decided after the point changes no row.

with points as (
    select
        point_key,
        grain,
        period_no,
        bucket,
        rel_day,
        before_date,
        last_frozen_no
    from {{ ref('int_forecast_points') }}
),

moments as (
    select distinct before_date
    from points
),

decisions as (
    select
        deal_key,
        outcome,
        decided_at,
        decided_date,
        ended_date
    from {{ ref('int_deal_decisions') }}
),

-- From which point to which a decision counts: a few thousand dates, not a million deals.
spans as (
    select
        dates.decided_date,
        dates.ended_date,
        min(moments.before_date) as first_before,
        max(moments.before_date) as last_before
    from (select distinct decided_date, ended_date from decisions) as dates
    inner join moments
        on
            dates.decided_date < moments.before_date
            and dates.decided_date >= moments.before_date - interval 24 month
            and (dates.ended_date is null or dates.ended_date >= moments.before_date)
    group by dates.decided_date, dates.ended_date
),

counted_decisions as (
    select
        decisions.deal_key,
        decisions.decided_at,
        cast(decisions.outcome = 'won' as integer) as is_won,
        spans.first_before,
        spans.last_before
    from decisions
    inner join spans
        on
            decisions.decided_date = spans.decided_date
            and decisions.ended_date is not distinct from spans.ended_date
),

age_bands as (
    {% for floor in age_floors() -%}
    select {{ floor }} as age_band
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

stays as (
    select
        stays.deal_key,
        counted_decisions.decided_at,
        counted_decisions.is_won,
        counted_decisions.first_before,
        counted_decisions.last_before,
        stays.pipeline_key,
        stays.stage_key,
        stays.stay_no,
        stays.visit_no,
        stays.amount_at_entry_rc,
        {{ days_between('stays.entered_date', 'stays.exited_date') }} as n_days
    from {{ ref('fct_deal_stage') }} as stays
    inner join counted_decisions
        on
            stays.deal_key = counted_decisions.deal_key
            and stays.exited_at <= counted_decisions.decided_at
    where stays.stage_type = 'open' and not stays.is_pass_through
),

returned as (
    select distinct deal_key
    from stays
    where visit_no > 1
),

-- Who came back to a stage is in it once, for the longest stay, and what it was at the last.
passed as (
    select
        pipeline_key,
        stage_key,
        n_days,
        amount_at_entry_rc,
        is_won,
        first_before,
        last_before
    from stays
    where deal_key not in (select returned.deal_key from returned)
    union all
    select
        pipeline_key,
        stage_key,
        max(n_days) as n_days,
        arg_max(amount_at_entry_rc, stay_no) filter (where amount_at_entry_rc is not null)
            as amount_at_entry_rc,
        min(is_won) as is_won,
        min(first_before) as first_before,
        min(last_before) as last_before
    from stays
    where deal_key in (select returned.deal_key from returned)
    group by deal_key, decided_at, pipeline_key, stage_key
),

longest as (
    select
        pipeline_key,
        stage_key,
        {{ age_band('n_days') }} as longest_band,
        {{ amount_band('amount_at_entry_rc') }} as amount_band,
        first_before,
        last_before,
        count(*) as n,
        sum(is_won) as n_won
    from passed
    group by
        pipeline_key, stage_key, longest_band, amount_band, first_before, last_before
),

-- A stay of 20 days was in the first fortnight as well.
cells as (
    select
        moments.before_date,
        longest.pipeline_key,
        longest.stage_key,
        age_bands.age_band,
        longest.amount_band,
        sum(longest.n) as n,
        sum(longest.n_won) as n_won
    from longest
    inner join age_bands on longest.longest_band >= age_bands.age_band
    inner join moments
        on moments.before_date between longest.first_before and longest.last_before
    group by
        moments.before_date, longest.pipeline_key, longest.stage_key, age_bands.age_band,
        longest.amount_band
),

-- Fewer than twenty decided deals teach nothing: the first to be decided are the quickly lost.
lessons as (
    select
        moments.before_date,
        count(*) >= 20 as is_enough
    from counted_decisions
    inner join moments
        on
            moments.before_date
            between counted_decisions.first_before and counted_decisions.last_before
    group by moments.before_date
),

open_deals as (
    select
        point_key,
        pipeline_key,
        stage_key,
        age_band,
        amount_band,
        next_won_date,
        is_won_in_period
    from {{ ref('int_forecast_open') }}
),

wanted as (
    select distinct
        points.point_key,
        points.before_date,
        points.rel_day,
        open_deals.pipeline_key,
        open_deals.stage_key,
        open_deals.age_band,
        open_deals.amount_band
    from open_deals
    inner join points on open_deals.point_key = points.point_key
),

{% set levels = ['pipeline_key', 'stage_key', 'age_band', 'amount_band'] %}
{% for n in range(5) %}
level_{{ n }} as (
    select
        before_date,
        {% for column in levels[:n] -%}
            {{ column }},
        {% endfor -%}
        sum(n) as n,
        sum(n_won) as n_won
    from cells
    group by before_date{{ ', ' if n }}{{ levels[:n] | join(', ') }}
),
{% endfor %}

placed as (
    select
        wanted.*,
        {% for n in range(5) -%}
            coalesce(level_{{ n }}.n, 0) as n_{{ n }},
            coalesce(level_{{ n }}.n_won, 0) as n_won_{{ n }},
        {% endfor -%}
        case when lessons.is_enough then {{ ratio('level_0.n_won', 'level_0.n') }} end as p_0
    from wanted
    left join lessons on wanted.before_date = lessons.before_date
    {% for n in range(5) -%}
        left join level_{{ n }}
            on
                wanted.before_date = level_{{ n }}.before_date
                {%- for column in levels[:n] %}
                and wanted.{{ column }} = level_{{ n }}.{{ column }}
                {%- endfor %}
    {% endfor %}
),

{% for n in range(1, 5) %}
shrunk_{{ n }} as (
    select
        *,
        {{ shrunk('n_won_' ~ n, 'n_' ~ n, 'p_' ~ (n - 1)) }} as p_{{ n }}
    from {{ 'placed' if n == 1 else 'shrunk_' ~ (n - 1) }}
),
{% endfor %}

-- Of the deals that stood there at the same share of earlier periods and were won before the
-- point: how many were won in their period. Without history: as many as days are left.
timed as (
    select
        points.grain,
        points.bucket,
        points.period_no,
        open_deals.pipeline_key,
        open_deals.stage_key,
        open_deals.next_won_date,
        open_deals.is_won_in_period,
        count(*) as n
    from open_deals
    inner join points on open_deals.point_key = points.point_key
    where open_deals.next_won_date is not null
    group by
        points.grain, points.bucket, points.period_no, open_deals.pipeline_key,
        open_deals.stage_key, open_deals.next_won_date, open_deals.is_won_in_period
),

timings as (
    select
        points.point_key,
        timed.pipeline_key,
        timed.stage_key,
        sum(timed.n) as n,
        coalesce(sum(timed.n) filter (where timed.is_won_in_period), 0) as n_in_period
    from timed
    inner join points
        on
            timed.grain = points.grain
            and timed.bucket = points.bucket
            and timed.period_no between points.last_frozen_no - 7 and points.last_frozen_no
            and timed.next_won_date < points.before_date
    group by points.point_key, timed.pipeline_key, timed.stage_key
),

{% for n in range(3) %}
timing_{{ n }} as (
    select
        point_key,
        {% for column in levels[:n] -%}
            {{ column }},
        {% endfor -%}
        sum(n) as n,
        sum(n_in_period) as n_in_period
    from timings
    group by point_key{{ ', ' if n }}{{ levels[:n] | join(', ') }}
),
{% endfor %}

in_time as (
    select
        shrunk_4.*,
        {%- set whole = shrunk(
            'coalesce(timing_0.n_in_period, 0)', 'coalesce(timing_0.n, 0)',
            '(1 - shrunk_4.rel_day)'
        ) %}
        {%- set by_pipeline = shrunk(
            'coalesce(timing_1.n_in_period, 0)', 'coalesce(timing_1.n, 0)', whole
        ) %}
        case
            when shrunk_4.rel_day < 1 then {{ shrunk(
                'coalesce(timing_2.n_in_period, 0)', 'coalesce(timing_2.n, 0)', by_pipeline
            ) }}
            when shrunk_4.rel_day = 1 then 0
        end as share_in_time
    from shrunk_4
    left join timing_0 on shrunk_4.point_key = timing_0.point_key
    left join timing_1
        on
            shrunk_4.point_key = timing_1.point_key
            and shrunk_4.pipeline_key = timing_1.pipeline_key
    left join timing_2
        on
            shrunk_4.point_key = timing_2.point_key
            and shrunk_4.pipeline_key = timing_2.pipeline_key
            and shrunk_4.stage_key = timing_2.stage_key
),

final as (
    select
        point_key,
        pipeline_key,
        stage_key,
        age_band,
        amount_band,
        cast(p_4 as decimal(9, 6)) as p_win,
        cast(p_4 * share_in_time as decimal(9, 6)) as p_win_in_period,
        cast(n_4 as bigint) as n_training,
        cast(n_won_4 as bigint) as n_training_won,
        case
            when p_0 is null then 'nothing'
            when n_1 = 0 then 'company'
            when n_2 = 0 then 'pipeline'
            when n_3 = 0 then 'stage'
            when n_4 = 0 then 'stage and age'
            else 'stage, age and amount'
        end as finest_cell
    from in_time
)

select * from final
