-- Grain: one row per Odoo stage, team and instant at which stages or teams were seen to change:
-- all of them as they stood then. A stage without a team is every team's; 'default' is for
-- deals without a team, 'lost' for those that were archived as lost.

with instants as (
    select connection, observed_at from {{ ref('stg_odoo__stages') }}
    union
    select connection, observed_at from {{ ref('stg_odoo__teams') }}
),

stage_states as (
    select
        instants.observed_at as seen_at,
        stages.connection,
        stages.stage_id,
        arg_max(stages.stage_name, (stages.observed_at, stages.sync_id, stages.position))
            as stage_name,
        arg_max(stages.display_order, (stages.observed_at, stages.sync_id, stages.position))
            as display_order,
        arg_max(stages.is_won, (stages.observed_at, stages.sync_id, stages.position)) as is_won,
        arg_max(stages.team_ids, (stages.observed_at, stages.sync_id, stages.position))
            filter (where stages.has_content) as team_ids,
        arg_max(stages.is_deleted, (stages.observed_at, stages.sync_id, stages.position))
            as is_deleted,
        arg_max(stages.raw_version_id, (stages.observed_at, stages.sync_id, stages.position))
            as raw_version_id
    from instants
    inner join {{ ref('stg_odoo__stages') }} as stages
        on
            instants.connection = stages.connection
            and instants.observed_at >= stages.observed_at
    group by instants.observed_at, stages.connection, stages.stage_id
),

team_states as (
    select
        instants.observed_at as seen_at,
        teams.connection,
        teams.team_id as pipeline_id,
        arg_max(teams.team_name, (teams.observed_at, teams.sync_id, teams.position))
            as pipeline_name,
        arg_max(teams.is_deleted, (teams.observed_at, teams.sync_id, teams.position))
            as is_pipeline_deleted
    from instants
    inner join {{ ref('stg_odoo__teams') }} as teams
        on
            instants.connection = teams.connection
            and instants.observed_at >= teams.observed_at
    group by instants.observed_at, teams.connection, teams.team_id

    union all

    select observed_at, connection, 'default', 'Sales', false from instants
),

placed as (
    select
        team_states.*,
        stage_states.stage_id,
        stage_states.stage_name,
        case when stage_states.is_won then 'won' else 'open' end as stage_type,
        coalesce(stage_states.display_order, 0) as display_order,
        stage_states.is_deleted,
        stage_states.raw_version_id
    from team_states
    inner join stage_states
        on
            team_states.connection = stage_states.connection
            and team_states.seen_at = stage_states.seen_at
            and (
                team_states.pipeline_id = 'default'
                or coalesce(len(stage_states.team_ids), 0) = 0
                or list_contains(stage_states.team_ids, team_states.pipeline_id)
            )

    union all

    select
        team_states.*,
        'lost',
        'Lost',
        'lost',
        1000000,
        false,
        cast(null as varchar)
    from team_states
)

select
    connection,
    'odoo' as source_system,
    pipeline_id,
    pipeline_name,
    dense_rank() over (
        partition by connection, seen_at
        order by try_cast(pipeline_id as bigint) nulls last
    ) as pipeline_order,
    is_pipeline_deleted,
    stage_id,
    stage_name,
    stage_type,
    row_number() over (
        partition by connection, seen_at, pipeline_id
        -- Odoo's own order: every new stage has sequence 1 until somebody drags it.
        order by display_order, stage_name, try_cast(stage_id as bigint)
    ) as display_order,
    -- While open it stands on the deal, not on the stage.
    case stage_type when 'won' then 1 when 'lost' then 0 end as probability,
    is_deleted,
    seen_at,
    max(raw_version_id) over (partition by connection, seen_at) as raw_version_id
from placed
