-- Grain: one row per landed version of a goal's target that is a quota of won deals.
--
-- A quota is a sum of money of deals by their close date, of a person or a team, over all
-- pipelines, in a period that the company's calendar has or once had: a month, a quarter or a year by
-- its length. Goals for calls or meetings, for some
-- pipelines alone, and a manager's goal for what the team sells are none.

with versions as (
    select
        *,
        cast(starts_at as date) as starts_on,
        -- The last millisecond of a period, in older goals the first of the next one.
        cast(ends_at - interval '1 millisecond' as date) as ends_on,
        has_content
        and pipeline_ids is null
        and not is_team_rollup
        and coalesce(metric_type, 'SUM') = 'SUM'
        and coalesce(object_type_id, '0-3') = '0-3'
        and coalesce(dated_by, 'closedate') = 'closedate'
        and case
            when unit_type is null then coalesce(goal_type, '') = 'sales_quota'
            else unit_type = 'currency'
        end as is_quota
    from {{ ref('stg_hubspot__goal_targets') }}
),

goals as (
    select * from versions
    where is_quota
),

owners as (
    select
        connection,
        user_id,
        arg_max(owner_id, (is_active, observed_at, sync_id, position)) as owner_id
    from {{ ref('stg_hubspot__owners') }}
    where user_id is not null
    group by connection, user_id
),

teams as (
    select
        connection,
        team.id as team_id,
        arg_max(team.name, (observed_at, sync_id, position)) as team_name
    from (
        select
            connection,
            observed_at,
            sync_id,
            position,
            unnest(teams) as team
        from {{ ref('stg_hubspot__owners') }}
    ) as owner_teams
    group by connection, team.id
),

connections as (
    select * from {{ ref('stg_config__connections') }}
),

spans as (
    select
        goals.goal_key as quota_record_key,
        goals.connection,
        case when goals.team_id is not null then 'team' else 'user' end as scope_type,
        case
            when goals.team_id is not null then teams.team_name
            else coalesce(goals.owner_id, owners.owner_id)
        end as scope_id,
        {{ span_grain('goals.starts_on', 'goals.ends_on') }} as period_type,
        goals.starts_on as own_start_date,
        goals.ends_on as own_end_date,
        coalesce(goals.currency_code, connections.home_currency) as currency_code,
        cast(goals.target as {{ money_type() }}) as quota_amt,
        goals.is_deleted,
        goals.observed_at,
        goals.raw_version_id,
        goals.sync_id,
        goals.position
    from goals
    left join owners
        on goals.connection = owners.connection and goals.user_id = owners.user_id
    left join teams
        on goals.connection = teams.connection and goals.team_id = teams.team_id
    left join connections
        on goals.connection = connections.connection
    where {{ span_grain('goals.starts_on', 'goals.ends_on') }} is not null
),

-- Purged, or edited so that it is no quota any more.
withdrawn as (
    select * from versions
    where not is_quota
)

select
    quota_record_key,
    'hubspot' as source_system,
    connection,
    scope_type,
    scope_id,
    period_type,
    cast(own_start_date as varchar) as period,
    own_start_date,
    own_end_date,
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
where scope_id is not null

union all

select distinct
    spans.quota_record_key,
    'hubspot',
    spans.connection,
    spans.scope_type,
    spans.scope_id,
    spans.period_type,
    cast(spans.own_start_date as varchar),
    spans.own_start_date,
    spans.own_end_date,
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
inner join withdrawn on spans.quota_record_key = withdrawn.goal_key
where spans.scope_id is not null
