-- Grain: one row per submitter x scope x period x category x instant: what somebody said would
-- come, and what the deals said at that instant. Neither is ever written over the other.

with submissions as (
    select
        *,
        {{ fiscal_name('period') }} as period_name
    from {{ ref('int_forecast_submissions_unioned') }}
    qualify
        row_number() over (
            partition by forecast_submission_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
        and not is_deleted
),

periods as (
    select
        period_key,
        grain,
        start_date,
        end_date
    from {{ ref('dim_fiscal_period') }}
),

users as (
    select * from {{ ref('int_user_map') }}
),

-- What was said, and what the deals said: at the rates that were known when it was said.
rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot_as_known'
),

found as (
    select
        submissions.*,
        coalesce(
            by_dates.period_key, by_key.period_key, by_month.period_key, submissions.period_name
        ) as period_key,
        coalesce(by_dates.start_date, by_key.start_date, by_month.start_date) as start_date,
        coalesce(by_dates.end_date, by_key.end_date, by_month.end_date) as end_date,
        coalesce(submitters.user_key, submissions.submitter_email) as submitter_user_key,
        case submissions.scope_type
            when 'company' then 'company'
            when 'team' then regexp_replace(submissions.scope_id, '^team:', '')
            else coalesce(subjects.user_key, lower(submissions.scope_id))
        end as scope_key,
        {{ convert_money(
            'submissions.forecast_amt', 'rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'"
        ) }} as forecast_rc,
        {{ convert_money(
            'submissions.system_amt', 'rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'"
        ) }} as stated_system_rc
    from submissions
    left join periods as by_dates
        on
            submissions.own_grain = by_dates.grain
            and submissions.own_start_date = by_dates.start_date
            and coalesce(submissions.own_end_date, by_dates.end_date) = by_dates.end_date
    left join periods as by_key
        on submissions.own_start_date is null and submissions.period_name = by_key.period_key
    left join periods as by_month
        on
            by_key.period_key is null
            and submissions.own_start_date is null
            and by_month.grain = 'month'
            and regexp_matches(submissions.period, '^\d{4}-\d{2}$')
            and by_month.start_date
            = {{ try_cast_to("concat(submissions.period, '-01')", 'date') }}
    left join users as submitters
        on
            submissions.connection = submitters.connection
            and submissions.submitter_email = submitters.owner_id
    left join users as subjects
        on
            submissions.scope_type in ('user', 'manager')
            and submissions.connection = subjects.connection
            and (
                submissions.scope_id = subjects.owner_id
                or lower(submissions.scope_id) = subjects.owner_id
            )
    left join rates
        on
            submissions.currency_code = rates.currency_code
            and {{ company_date('submissions.submitted_at') }} = rates.rate_date
),

-- What the deals of the scope said at each instant. By the owner of the time, without splits.
instants as (
    select distinct
        scope_type,
        scope_key,
        period_key,
        start_date,
        end_date,
        submitted_at
    from found
    where stated_system_rc is null and start_date is not null
),

due_days as (
    select
        periods.period_key,
        dim_date.date
    from (select distinct period_key, start_date, end_date from instants) as periods
    inner join {{ ref('dim_date') }} as dim_date
        on dim_date.date between periods.start_date and periods.end_date
),

scopes as (
    select *
    from {{ ref('int_user_scopes') }}
    where concat_ws('|', scope_type, scope_key) in (
        select concat_ws('|', instants.scope_type, instants.scope_key) from instants
    )
),

first_seen as (
    select min(seen_from) as first_seen_at
    from {{ ref('fct_deal_version') }}
),

deals as (
    select deal_key
    from {{ ref('fct_deal') }}
    where not is_excluded
),

stages as (
    select
        stage_key,
        forecast_category,
        case when is_first_version then cast('1970-01-01 00:00:00+00' as {{ instant_type() }})
            else valid_from end as valid_from,
        coalesce(valid_to, {{ far_future() }}) as valid_to
    from {{ ref('dim_stage') }}
),

versions as (
    select
        versions.survivor_deal_key,
        versions.owner_user_key,
        versions.stage_key,
        versions.currency_code,
        versions.amount_amt,
        versions.forecast_category,
        versions.valid_from,
        coalesce(versions.valid_to, {{ far_future() }}) as valid_to,
        versions.seen_from,
        coalesce(versions.seen_to, {{ far_future() }}) as seen_to,
        due_days.period_key,
        first_seen.first_seen_at
    from {{ ref('fct_deal_version') }} as versions
    inner join due_days on versions.expected_close_date = due_days.date
    cross join first_seen
    where
        versions.status = 'open'
        and not versions.is_deleted
        and not versions.is_merged_away
        and versions.amount_amt >= 0
),

open_then as (
    select
        instants.scope_type,
        instants.scope_key,
        instants.period_key,
        instants.submitted_at,
        {{ open_category(
            'coalesce(case when versions.first_seen_at <= instants.submitted_at'
            ~ ' then versions.forecast_category end, stages.forecast_category)'
        ) }} as category,
        {{ convert_money(
            'versions.amount_amt', 'rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'"
        ) }} as amount_rc
    from versions
    inner join deals on versions.survivor_deal_key = deals.deal_key
    inner join scopes on versions.owner_user_key = scopes.user_key
    inner join instants
        on
            scopes.scope_type = instants.scope_type
            and scopes.scope_key = instants.scope_key
            and versions.period_key = instants.period_key
            and instants.submitted_at >= scopes.valid_from
            and instants.submitted_at < scopes.valid_to
            and case
                when versions.first_seen_at <= instants.submitted_at
                    then versions.seen_from <= instants.submitted_at
                    and versions.seen_to > instants.submitted_at
                else
                    versions.valid_from <= instants.submitted_at
                    and versions.valid_to > instants.submitted_at
            end
    left join stages
        on
            versions.stage_key = stages.stage_key
            and instants.submitted_at >= stages.valid_from
            and instants.submitted_at < stages.valid_to
    left join rates
        on
            versions.currency_code = rates.currency_code
            and {{ company_date('instants.submitted_at') }} = rates.rate_date
),

opened as (
    select
        scope_type,
        scope_key,
        period_key,
        submitted_at,
        {% for category in ['commit', 'most_likely', 'best_case', 'pipeline'] -%}
            coalesce(sum(amount_rc) filter (where category = '{{ category }}'), 0)
                as {{ category }}_rc{{ ',' if not loop.last }}
        {% endfor %}
    from open_then
    group by scope_type, scope_key, period_key, submitted_at
),

won as (
    select
        instants.scope_type,
        instants.scope_key,
        instants.period_key,
        instants.submitted_at,
        sum(decisions.amount_known_rc) as won_rc
    from {{ ref('int_deal_decisions') }} as decisions
    inner join due_days on decisions.decided_date = due_days.date
    inner join scopes
        on {{ scope_at('scopes', 'decisions.owner_user_key', 'decisions.decided_at') }}
    cross join first_seen
    inner join instants
        on
            scopes.scope_type = instants.scope_type
            and scopes.scope_key = instants.scope_key
            and due_days.period_key = instants.period_key
            and decisions.decided_at <= instants.submitted_at
            and decisions.ended_at > instants.submitted_at
            and (
                decisions.seen_from <= instants.submitted_at
                or first_seen.first_seen_at > instants.submitted_at
            )
    where decisions.outcome = 'won'
    group by
        instants.scope_type, instants.scope_key, instants.period_key, instants.submitted_at
),

system_said as (
    select
        instants.scope_type,
        instants.scope_key,
        instants.period_key,
        instants.submitted_at,
        coalesce(won.won_rc, 0) + coalesce(opened.commit_rc, 0) as commit_rc,
        coalesce(opened.most_likely_rc, 0) as most_likely_rc,
        coalesce(opened.best_case_rc, 0) as best_case_rc,
        coalesce(opened.pipeline_rc, 0) as pipeline_rc
    from instants
    left join opened
        on
            instants.scope_type = opened.scope_type
            and instants.scope_key = opened.scope_key
            and instants.period_key = opened.period_key
            and instants.submitted_at = opened.submitted_at
    left join won
        on
            instants.scope_type = won.scope_type
            and instants.scope_key = won.scope_key
            and instants.period_key = won.period_key
            and instants.submitted_at = won.submitted_at
),

beside as (
    select
        found.*,
        coalesce(found.stated_system_rc, case found.category
            when 'commit' then system_said.commit_rc
            when 'most_likely' then system_said.commit_rc + system_said.most_likely_rc
            when 'best_case'
                then system_said.commit_rc + system_said.most_likely_rc + system_said.best_case_rc
            when 'pipeline'
                then
                    system_said.commit_rc + system_said.most_likely_rc + system_said.best_case_rc
                    + system_said.pipeline_rc
        end) as system_rc
    from found
    left join system_said
        on
            found.scope_type = system_said.scope_type
            and found.scope_key = system_said.scope_key
            and found.period_key = system_said.period_key
            and found.submitted_at = system_said.submitted_at
),

final as (
    select
        forecast_submission_key,
        submitter_user_key,
        scope_type,
        scope_key,
        period_key,
        category,
        level,
        currency_code,
        case
            when stated_system_rc is not null then 'stated'
            when system_rc is not null then 'computed'
        end as system_basis,
        forecast_amt,
        forecast_rc,
        cast(system_rc as {{ money_type() }}) as system_rc,
        cast(forecast_rc - system_rc as {{ money_type() }}) as adjustment_rc,
        start_date is null as is_period_unknown,
        has_note as note_present,
        {{ company_date('submitted_at') }} as submitted_date,
        submitted_at,
        observed_at as seen_from,
        false as is_deleted,
        source_system,
        connection,
        raw_version_id
    from beside
)

select * from final
