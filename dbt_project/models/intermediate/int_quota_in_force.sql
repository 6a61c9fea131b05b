-- Grain: one row per scope x period x measure x credit type: the quota that the as-of knows.
-- A team's own quota, else the sum of its members'; never both.

with quotas as (
    select
        *,
        {{ round_money(
            'cast(quota_rc as decimal(28, 4)) * proration', "'" ~ var('reporting_currency') ~ "'"
        ) }} as prorated_rc
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
        credit_type,
        sum(prorated_rc) as quota_rc,
        string_agg(distinct fx_rate_type, '+' order by fx_rate_type) as fx_rate_type
    from personal
    group by member_of, period_key, measure, credit_type
),

team_own as (
    select
        scope_key,
        period_key,
        measure,
        credit_type,
        prorated_rc as quota_rc,
        fx_rate_type
    from own
    where scope_type = 'team'
),

teams as (
    select
        coalesce(team_own.scope_key, team_members.scope_key) as scope_key,
        coalesce(team_own.period_key, team_members.period_key) as period_key,
        coalesce(team_own.measure, team_members.measure) as measure,
        coalesce(team_own.credit_type, team_members.credit_type) as credit_type,
        case when team_own.scope_key is null then team_members.quota_rc else team_own.quota_rc end
            as quota_rc,
        case
            when team_own.scope_key is null then team_members.fx_rate_type
            else team_own.fx_rate_type
        end as fx_rate_type,
        case when team_own.scope_key is null then 'members' else 'own' end as quota_basis,
        team_own.scope_key is not null and team_members.scope_key is null as is_without_members,
        case
            when team_own.scope_key is not null
                then coalesce(team_members.quota_rc, 0) - team_own.quota_rc
        end as target_mismatch_rc
    from team_own
    full outer join team_members
        on
            team_own.scope_key = team_members.scope_key
            and team_own.period_key = team_members.period_key
            and team_own.measure = team_members.measure
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
        personal.credit_type,
        personal.prorated_rc,
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
            and superior.credit_type = member.credit_type
),

holders as (
    select distinct
        scope_key,
        period_key,
        measure,
        credit_type
    from rollups
),

between_them as (
    select distinct
        below.scope_key,
        below.user_key,
        below.period_key,
        below.measure,
        below.credit_type
    from below
    inner join below as nearer
        on
            below.scope_key = nearer.scope_key
            and below.period_key = nearer.period_key
            and below.measure = nearer.measure
            and below.credit_type = nearer.credit_type
    inner join rollups
        on
            nearer.user_key = rollups.scope_key
            and below.user_key = rollups.user_key
            and below.period_key = rollups.period_key
            and below.measure = rollups.measure
            and below.credit_type = rollups.credit_type
),

reports as (
    select
        below.scope_key,
        below.period_key,
        below.measure,
        below.credit_type,
        sum(below.prorated_rc) as quota_rc,
        string_agg(distinct below.fx_rate_type, '+' order by below.fx_rate_type) as fx_rate_type
    from below
    anti join between_them
        on
            below.scope_key = between_them.scope_key
            and below.user_key = between_them.user_key
            and below.period_key = between_them.period_key
            and below.measure = between_them.measure
            and below.credit_type = between_them.credit_type
    group by below.scope_key, below.period_key, below.measure, below.credit_type
),

managers as (
    select
        reports.scope_key,
        reports.period_key,
        reports.measure,
        reports.credit_type,
        case
            when holders.scope_key is not null then personal.prorated_rc
            else reports.quota_rc + coalesce(personal.prorated_rc, 0)
        end as quota_rc,
        case when holders.scope_key is null then reports.fx_rate_type else personal.fx_rate_type end
            as fx_rate_type,
        case when holders.scope_key is null then 'members' else 'own' end as quota_basis,
        case when holders.scope_key is not null then reports.quota_rc - personal.prorated_rc end
            as target_mismatch_rc
    from reports
    left join personal
        on
            reports.scope_key = personal.scope_key
            and reports.period_key = personal.period_key
            and reports.measure = personal.measure
            and reports.credit_type = personal.credit_type
    left join holders
        on
            reports.scope_key = holders.scope_key
            and reports.period_key = holders.period_key
            and reports.measure = holders.measure
            and reports.credit_type = holders.credit_type
),

company_parts as (
    select
        personal.period_key,
        personal.measure,
        personal.credit_type,
        personal.prorated_rc,
        personal.fx_rate_type
    from personal
    anti join rollups
        on
            personal.scope_key = rollups.user_key
            and personal.period_key = rollups.period_key
            and personal.measure = rollups.measure
            and personal.credit_type = rollups.credit_type
    union all
    select
        period_key,
        measure,
        credit_type,
        quota_rc as prorated_rc,
        fx_rate_type
    from teams
    where is_without_members
),

final as (
    select
        scope_type,
        scope_key,
        period_key,
        measure,
        credit_type,
        prorated_rc as quota_rc,
        fx_rate_type,
        'own' as quota_basis,
        cast(null as {{ money_type() }}) as target_mismatch_rc
    from own
    where scope_type = 'user'
    union all
    select
        'team' as scope_type,
        scope_key,
        period_key,
        measure,
        credit_type,
        quota_rc,
        fx_rate_type,
        quota_basis,
        target_mismatch_rc
    from teams
    union all
    select
        'manager' as scope_type,
        scope_key,
        period_key,
        measure,
        credit_type,
        quota_rc,
        fx_rate_type,
        quota_basis,
        target_mismatch_rc
    from managers
    union all
    select
        'company' as scope_type,
        'company' as scope_key,
        period_key,
        measure,
        credit_type,
        sum(prorated_rc) as quota_rc,
        string_agg(distinct fx_rate_type, '+' order by fx_rate_type) as fx_rate_type,
        'members' as quota_basis,
        cast(null as {{ money_type() }}) as target_mismatch_rc
    from company_parts
    group by period_key, measure, credit_type
)

select * from final
