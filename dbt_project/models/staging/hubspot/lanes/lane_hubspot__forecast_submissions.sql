-- Grain: one row per amount that a forecast of HubSpot held: a hand-in, and each later change of it.
--
-- HubSpot hands in one number for a person or a team and writes it over; what it was before is in the
-- versions. One for a pipeline alone is no forecast of all that the scope sells.

with versions as (
    select
        *,
        lag(amount) over (
            partition by forecast_key order by observed_at, sync_id, position
        ) is distinct from amount as is_hand_in,
        -- Archived or purged, all that it said is withdrawn.
        last_value(is_deleted) over (
            partition by forecast_key order by observed_at, sync_id, position
            rows between unbounded preceding and unbounded following
        ) as is_withdrawn
    from {{ ref('stg_hubspot__forecasts') }}
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
)

select
    concat_ws(
        ':', versions.forecast_key, epoch_ms(coalesce(versions.modified_at, versions.observed_at))
    ) as forecast_submission_key,
    'hubspot' as source_system,
    versions.connection,
    coalesce(owners.owner_id, versions.created_by_user_id, versions.owner_id) as submitter_email,
    case
        when versions.owner_id is not null then 'user'
        when versions.team_id is not null then 'team'
        else 'company'
    end as scope_type,
    case
        when versions.owner_id is not null then versions.owner_id
        when versions.team_id is not null then coalesce(teams.team_name, versions.team_id)
        else 'company'
    end as scope_id,
    cast(versions.starts_on as varchar) as period,
    case versions.milestone
        when 'monthly' then 'month' when 'quarterly' then 'quarter' when 'yearly' then 'year'
    end as own_grain,
    versions.starts_on as own_start_date,
    'most_likely' as category,
    false as has_note,
    connections.home_currency as currency_code,
    cast(versions.amount as {{ money_type() }}) as forecast_amt,
    coalesce(versions.modified_at, versions.observed_at) as submitted_at,
    versions.is_withdrawn as is_deleted,
    versions.observed_at,
    versions.raw_version_id,
    versions.sync_id,
    versions.position
from versions
left join owners
    on
        versions.connection = owners.connection
        and versions.created_by_user_id = owners.user_id
left join teams
    on versions.connection = teams.connection and versions.team_id = teams.team_id
left join connections on versions.connection = connections.connection
where
    versions.has_content
    and versions.is_hand_in
    and versions.amount is not null
    and versions.starts_on is not null
    and versions.pipeline_id is null
    and coalesce(versions.owner_id, versions.created_by_user_id) is not null
