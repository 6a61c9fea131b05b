-- Grain: one row per scope x period x measure x forecast type x credit type: the quota that the
-- as-of knows, in the reporting currency or, of the type quantity, in units.
-- A team's own quota, else the sum of its members'; never both.

with quotas as (
    select
        *,
        case
            when forecast_type = 'quantity'
                then cast(round(quota_qty * proration, 4) as {{ money_type() }})
            else {{ round_money(
                'cast(quota_rc as decimal(28, 4)) * proration',
                "'" ~ var('reporting_currency') ~ "'"
            ) }}
        end as prorated
    from {{ ref('fct_quota') }}
    where is_in_force and not is_period_unknown
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

users as (
    select * from {{ ref('dim_user') }}
),

hierarchy as (
    select
        *,
        coalesce(valid_to, {{ far_future() }}) as ends_at
    from {{ ref('bridge_user_hierarchy') }}
),

-- Who belongs where: on the period's last day, or today while the period lasts.
own as (
    select
        quotas.*,
        case
            when periods.end_date < {{ as_of_date() }}
                then {{ start_of_day('periods.end_date') }}
            else {{ as_of_at() }}
        end as placed_at
    from quotas
    inner join periods on quotas.period_key = periods.period_key
),

personal as (
    select
        own.*,
        coalesce(users.team_key, 'unassigned') as member_of
    from own
    left join users
        on
            own.scope_key = users.user_key
            and own.placed_at >= users.valid_from
            and own.placed_at < coalesce(users.valid_to, {{ far_future() }})
    where own.scope_type = 'user'
),

team_members as (
    select
        member_of as scope_key,
        period_key,
        measure,
        forecast_type,
        credit_type,
        sum(prorated) as quota,
        string_agg(distinct fx_rate_type, '+' order by fx_rate_type) as fx_rate_type
    from personal
    group by member_of, period_key, measure, forecast_type, credit_type
),

team_own as (
    select
        scope_key,
        period_key,
        measure,
        forecast_type,
        credit_type,
        prorated as quota,
        fx_rate_type
    from own
    where scope_type = 'team'
),

teams as (
    select
        coalesce(team_own.scope_key, team_members.scope_key) as scope_key,
        coalesce(team_own.period_key, team_members.period_key) as period_key,
        coalesce(team_own.measure, team_members.measure) as measure,
        coalesce(team_own.forecast_type, team_members.forecast_type) as forecast_type,
        coalesce(team_own.credit_type, team_members.credit_type) as credit_type,
        case when team_own.scope_key is null then team_members.quota else team_own.quota end
            as quota,
        case
            when team_own.scope_key is null then team_members.fx_rate_type
            else team_own.fx_rate_type
        end as fx_rate_type,
        case when team_own.scope_key is null then 'members' else 'own' end as quota_basis,
        team_own.scope_key is not null and team_members.scope_key is null as is_without_members,
        case
            when team_own.scope_key is not null
                then coalesce(team_members.quota, 0) - team_own.quota
        end as target_mismatch
    from team_own
    full outer join team_members
        on
            team_own.scope_key = team_members.scope_key
            and team_own.period_key = team_members.period_key
            and team_own.measure = team_members.measure
            and team_own.forecast_type = team_members.forecast_type
            and team_own.credit_type = team_members.credit_type
),

-- Under a manager: the nearest quota on every line down. A quota below somebody who has one
-- is already in it.
below as (
    select distinct
        hierarchy.ancestor_user_key as scope_key,
        personal.scope_key as user_key,
        personal.period_key,
        personal.measure,
        personal.forecast_type,
        personal.credit_type,
        personal.prorated,
        personal.fx_rate_type,
        personal.placed_at
    from personal
    inner join hierarchy
        on
            personal.scope_key = hierarchy.descendant_user_key
            and hierarchy.depth > 0
            and personal.placed_at >= hierarchy.valid_from
            and personal.placed_at < hierarchy.ends_at
),

-- A quota is a roll-up when, on the day it was set, somebody with a quota stood below its
-- holder. Who is promoted later still carries a quota of one.
rollups as (
    select distinct
        superior.scope_key,
        member.scope_key as user_key,
        superior.period_key,
        superior.measure,
        superior.forecast_type,
        superior.credit_type
    from personal as superior
    inner join hierarchy
        on
            superior.scope_key = hierarchy.ancestor_user_key
            and hierarchy.depth > 0
            and superior.valid_from >= hierarchy.valid_from
            and superior.valid_from < hierarchy.ends_at
    inner join personal as member
        on
            hierarchy.descendant_user_key = member.scope_key
            and superior.period_key = member.period_key
            and superior.measure = member.measure
            and superior.forecast_type = member.forecast_type
            and superior.credit_type = member.credit_type
),

holders as (
    select distinct
        scope_key,
        period_key,
        measure,
        forecast_type,
        credit_type
    from rollups
),

between_them as (
    select distinct
        below.scope_key,
        below.user_key,
        below.period_key,
        below.measure,
        below.forecast_type,
        below.credit_type
    from below
    inner join below as nearer
        on
            below.scope_key = nearer.scope_key
            and below.period_key = nearer.period_key
            and below.measure = nearer.measure
            and below.forecast_type = nearer.forecast_type
            and below.credit_type = nearer.credit_type
    inner join rollups
        on
            nearer.user_key = rollups.scope_key
            and below.user_key = rollups.user_key
            and below.period_key = rollups.period_key
            and below.measure = rollups.measure
            and below.forecast_type = rollups.forecast_type
            and below.credit_type = rollups.credit_type
),

reports as (
    select
        below.scope_key,
        below.period_key,
        below.measure,
        below.forecast_type,
        below.credit_type,
        sum(below.prorated) as quota,
        string_agg(distinct below.fx_rate_type, '+' order by below.fx_rate_type) as fx_rate_type
    from below
    anti join between_them
        on
            below.scope_key = between_them.scope_key
            and below.user_key = between_them.user_key
            and below.period_key = between_them.period_key
            and below.measure = between_them.measure
            and below.forecast_type = between_them.forecast_type
            and below.credit_type = between_them.credit_type
    group by
        below.scope_key, below.period_key, below.measure, below.forecast_type, below.credit_type
),

managers as (
    select
        reports.scope_key,
        reports.period_key,
        reports.measure,
        reports.forecast_type,
        reports.credit_type,
        case
            when holders.scope_key is not null then personal.prorated
            else reports.quota + coalesce(personal.prorated, 0)
        end as quota,
        case when holders.scope_key is null then reports.fx_rate_type else personal.fx_rate_type end
            as fx_rate_type,
        case when holders.scope_key is null then 'members' else 'own' end as quota_basis,
        case when holders.scope_key is not null then reports.quota - personal.prorated end
            as target_mismatch
    from reports
    left join personal
        on
            reports.scope_key = personal.scope_key
            and reports.period_key = personal.period_key
            and reports.measure = personal.measure
            and reports.forecast_type = personal.forecast_type
            and reports.credit_type = personal.credit_type
    left join holders
        on
            reports.scope_key = holders.scope_key
            and reports.period_key = holders.period_key
            and reports.measure = holders.measure
            and reports.forecast_type = holders.forecast_type
            and reports.credit_type = holders.credit_type
),

company_parts as (
    select
        personal.period_key,
        personal.measure,
        personal.forecast_type,
        personal.credit_type,
        personal.prorated,
        personal.fx_rate_type
    from personal
    anti join rollups
        on
            personal.scope_key = rollups.user_key
            and personal.period_key = rollups.period_key
            and personal.measure = rollups.measure
            and personal.forecast_type = rollups.forecast_type
            and personal.credit_type = rollups.credit_type
    union all
    select
        period_key,
        measure,
        forecast_type,
        credit_type,
        quota as prorated,
        fx_rate_type
    from teams
    where is_without_members
),

stated as (
    select
        scope_type,
        scope_key,
        period_key,
        measure,
        forecast_type,
        credit_type,
        prorated as quota,
        fx_rate_type,
        'own' as quota_basis,
        cast(null as {{ money_type() }}) as target_mismatch
    from own
    where scope_type = 'user'
    union all
    select
        'team' as scope_type,
        scope_key,
        period_key,
        measure,
        forecast_type,
        credit_type,
        quota,
        fx_rate_type,
        quota_basis,
        target_mismatch
    from teams
    union all
    select
        'manager' as scope_type,
        scope_key,
        period_key,
        measure,
        forecast_type,
        credit_type,
        quota,
        fx_rate_type,
        quota_basis,
        target_mismatch
    from managers
    union all
    select
        'company' as scope_type,
        'company' as scope_key,
        period_key,
        measure,
        forecast_type,
        credit_type,
        sum(prorated) as quota,
        string_agg(distinct fx_rate_type, '+' order by fx_rate_type) as fx_rate_type,
        'members' as quota_basis,
        cast(null as {{ money_type() }}) as target_mismatch
    from company_parts
    group by period_key, measure, forecast_type, credit_type
),

final as (
    select
        scope_type,
        scope_key,
        period_key,
        measure,
        forecast_type,
        credit_type,
        case when forecast_type <> 'quantity' then quota end as quota_rc,
        case when forecast_type = 'quantity' then quota end as quota_qty,
        fx_rate_type,
        quota_basis,
        case when forecast_type <> 'quantity' then target_mismatch end as target_mismatch_rc
    from stated
)

select * from final
