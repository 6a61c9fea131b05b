-- Grain: one row per landed version of a goal for won value x fiscal period that it spans.
--
-- Only goals that are measured in money and speak of won deals are quotas. A goal repeats by
-- its interval; a period counts where the company's calendar has one that begins and ends
-- with it.

with goals as (
    select
        *,
        case interval_name
            when 'monthly' then 'month' when 'quarterly' then 'quarter' when 'yearly' then 'year'
        end as grain
    from {{ ref('stg_pipedrive__goals') }}
    where
        has_content
        and goal_type = 'deals_won'
        and tracking_metric = 'sum'
        and assignee_type in ('person', 'team')
        -- A goal for some pipelines alone is no quota of all that a person sells.
        and len(pipeline_ids) = 0
),

withdrawn as (
    select
        goal_key,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_pipedrive__goals') }}
    where not has_content
),

currencies as (
    select
        connection,
        currency_id,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_pipedrive__currencies') }}
    where has_content
    group by connection, currency_id
),

teams as (
    select
        connection,
        team_id,
        arg_max(team_name, (observed_at, sync_id, position)) as team_name
    from {{ ref('stg_pipedrive__teams') }}
    where has_content
    group by connection, team_id
),

spans as (
    select
        concat_ws(':', goals.goal_key, periods.period_key) as quota_record_key,
        goals.goal_key,
        goals.connection,
        case goals.assignee_type when 'team' then 'team' else 'user' end as scope_type,
        case goals.assignee_type when 'team' then teams.team_name else goals.assignee_id end
            as scope_id,
        periods.grain as period_type,
        periods.period_key as period,
        currencies.currency_code,
        goals.target_amount as quota_amt,
        goals.is_deleted,
        goals.observed_at,
        goals.raw_version_id,
        goals.sync_id,
        goals.position
    from goals
    inner join {{ ref('stg_config__fiscal_periods') }} as periods
        on
            goals.grain = periods.grain
            and periods.start_date >= goals.starts_on
            and periods.end_date <= coalesce(goals.ends_on, {{ as_of_date() }} + 366)
    left join currencies
        on goals.connection = currencies.connection and goals.currency_id = currencies.currency_id
    left join teams
        on goals.connection = teams.connection and goals.assignee_id = teams.team_id
)

select
    quota_record_key,
    'pipedrive' as source_system,
    connection,
    scope_type,
    scope_id,
    period_type,
    period,
    'bookings' as measure,
    'revenue' as credit_type,
    currency_code,
    quota_amt,
    cast(1 as decimal(9, 6)) as proration,
    is_deleted,
    observed_at,
    raw_version_id,
    sync_id,
    position
from spans

union all

select distinct
    spans.quota_record_key,
    'pipedrive',
    spans.connection,
    spans.scope_type,
    spans.scope_id,
    spans.period_type,
    spans.period,
    'bookings',
    'revenue',
    spans.currency_code,
    spans.quota_amt,
    cast(1 as decimal(9, 6)),
    true,
    withdrawn.observed_at,
    withdrawn.raw_version_id,
    withdrawn.sync_id,
    withdrawn.position
from spans
inner join withdrawn on spans.goal_key = withdrawn.goal_key
