-- Grain: one row per basis (restated, as_known), deal and span in which nothing changed that the
-- pipeline is counted by: amount, currency, status, expected close, owner, owner's team,
-- pipeline, source channel, omission, deletion, merge. Deals that are left out of all totals are not here.
--
-- depends_on: {{ ref('int_pipeline_inputs') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals("int_pipeline_inputs") }}',
    in_parts_of='int_pipeline_inputs',
    in_parts_where='is_changed',
    in_parts_rows='0.5 * n_versions',
) }}

with history as (
    select min(from_at) as from_at
    from {{ ref('int_pipeline_windows') }}
),

stages as (
    select
        stage_key,
        forecast_category
    from {{ ref('dim_stage') }}
    where is_current
),

deals as (
    select
        deal_key,
        measure,
        is_excluded
    from {{ ref('fct_deal') }}
),

teams as (
    select
        user_key,
        scope_key as team_key,
        valid_from,
        valid_to
    from {{ ref('int_user_scopes') }}
    where scope_type = 'team'
),

rates as (
    {{ rates_by_basis() }}
),

versions as (
    select
        versions.deal_key,
        versions.owner_user_key,
        versions.pipeline_key,
        coalesce(versions.source_channel, 'unknown') as source_channel,
        versions.status,
        versions.currency_code,
        versions.raw_version_id,
        coalesce(deals.measure, 'bookings') as measure,
        versions.amount_amt,
        versions.is_deleted,
        versions.is_merged_away,
        not versions.is_deleted and not versions.is_merged_away as is_live,
        versions.status = 'open' and not versions.is_deleted and not versions.is_merged_away
        and (
            {{ var('movement_counts_omitted') }}
            or coalesce(versions.forecast_category, stages.forecast_category, '') <> 'omitted'
        ) as is_pipeline,
        versions.expected_close_date,
        versions.valid_from,
        versions.seen_from,
        versions.seen_to
    from (
        select * from {{ ref('fct_deal_version') }}
        {{ only_changed_deals('int_pipeline_inputs') }}
    ) as versions
    left join stages on versions.stage_key = stages.stage_key
    left join deals on versions.survivor_deal_key = deals.deal_key
    where not coalesce(deals.is_excluded, false)
),

-- A win lasts until the deal is open or lost again; a deletion in between does not end it.
won_or_not as (
    select
        *,
        lag(status) over (partition by deal_key order by valid_from) as last_status
    from versions
    where is_live and deal_key in (select won.deal_key from versions as won where won.status = 'won')
),

wins as (
    select
        won_or_not.deal_key,
        won_or_not.owner_user_key as won_owner_user_key,
        won_or_not.pipeline_key as won_pipeline_key,
        won_or_not.source_channel as won_source_channel,
        won_or_not.valid_from as won_at,
        {{ company_date('won_or_not.valid_from') }} as closed_date,
        won_or_not.amount_amt as won_amt,
        won_or_not.currency_code as won_currency_code,
        lead(won_or_not.valid_from) over (
            partition by won_or_not.deal_key order by won_or_not.valid_from
        ) as next_won_at
    from won_or_not
    where won_or_not.status = 'won' and won_or_not.last_status is distinct from 'won'
),

dated as (
    select
        versions.*,
        wins.won_at,
        wins.closed_date,
        wins.won_amt,
        wins.won_currency_code,
        wins.won_owner_user_key,
        wins.won_pipeline_key,
        wins.won_source_channel
    from versions
    left join wins
        on
            versions.deal_key = wins.deal_key
            and versions.status = 'won'
            and versions.is_live
            and versions.valid_from >= wins.won_at
            and versions.valid_from < coalesce(wins.next_won_at, {{ far_future() }})
),

compared as (
    select
        *,
        {{ row_hash([
            'amount_amt', 'currency_code', 'status', 'expected_close_date', 'owner_user_key',
            'pipeline_key', 'source_channel', 'is_pipeline', 'is_deleted', 'is_merged_away',
            'won_at',
        ]) }} as state
    from dated
),

-- Known from: the first look at which this version or a later one was seen. The versions of a
-- deal follow one another in both times, so that each begins where the last one ends.
starts as (
    select
        * exclude (state),
        least(seen_from, coalesce(seen_to, {{ far_future() }})) as known_from,
        lag(state) over w is distinct from state as is_start
    from compared
    window w as (partition by deal_key order by valid_from)
),

spans as (
    select
        * exclude (is_start, seen_from, seen_to),
        lead(valid_from, 1, {{ far_future() }}) over w as valid_to,
        lead(known_from, 1, {{ far_future() }}) over w as known_to
    from starts
    where is_start
    window w as (partition by deal_key order by valid_from)
),

changes as (
    select
        'restated' as basis,
        * exclude (valid_from, valid_to, known_from, known_to),
        valid_from as from_at,
        valid_to as to_at
    from spans
    where valid_to >= (select history.from_at from history)
    union all
    -- What was first seen together with something later was never believed to be the newest.
    select
        'as_known' as basis,
        * exclude (valid_from, valid_to, known_from, known_to),
        known_from as from_at,
        known_to as to_at
    from spans
    where known_from < known_to and known_to >= (select history.from_at from history)
),

-- A person who changes teams takes the deals along.
placed as (
    select
        changes.* exclude (from_at, to_at),
        coalesce(teams.team_key, 'unassigned') as team_key,
        greatest(changes.from_at, coalesce(teams.valid_from, changes.from_at)) as from_at,
        least(changes.to_at, coalesce(teams.valid_to, changes.to_at)) as to_at
    from changes
    left join teams
        on
            changes.owner_user_key = teams.user_key
            and changes.from_at < teams.valid_to
            and changes.to_at > teams.valid_from
),

final as (
    select
        placed.basis,
        placed.deal_key,
        placed.measure,
        placed.owner_user_key,
        placed.team_key,
        placed.pipeline_key,
        placed.source_channel,
        placed.status,
        placed.currency_code,
        placed.raw_version_id,
        placed.amount_amt,
        placed.is_pipeline,
        placed.closed_date is not null as is_booked,
        placed.is_deleted,
        placed.is_merged_away,
        case
            when placed.won_at is not null
                then {{ pipeline_value('placed.won_amt', 'rates.rate_to_rc') }}
        end as won_rc,
        placed.won_owner_user_key,
        won_teams.team_key as won_team_key,
        placed.won_pipeline_key,
        placed.won_source_channel,
        -- The fiscal periods in which it counts: due there while open, closed there when won.
        dim_date.month_period_key,
        dim_date.quarter_period_key,
        placed.expected_close_date,
        placed.closed_date,
        {{ company_date('placed.from_at') }} as from_date,
        placed.won_at,
        placed.from_at,
        placed.to_at
    from placed
    left join {{ ref('dim_date') }} as dim_date
        on
            case when placed.is_pipeline then placed.expected_close_date else placed.closed_date end
            = dim_date.date
    left join teams as won_teams
        on
            placed.won_owner_user_key = won_teams.user_key
            and placed.won_at >= won_teams.valid_from
            and placed.won_at < won_teams.valid_to
    left join rates
        on
            placed.basis = rates.basis
            and placed.won_currency_code = rates.currency_code
            and placed.closed_date = rates.rate_date
)

select * from final
