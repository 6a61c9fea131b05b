-- Grain: one row per user x fiscal quarter x measure: target, results, habits. What happened
-- belongs to who owned the deal when it happened.
--
-- With the setting reps.privacy_k = k (0 is off) the rows are teams of the time, and groups of
-- fewer than k people are one row small_teams, which is left out if it is too small as well.

{% set privacy_k = var('rep_privacy_k') %}

with periods as (
    select
        period_key,
        start_date,
        end_date,
        is_current,
        least({{ start_of_day('end_date + 1') }}, {{ as_of_at() }}) as judged_at
    from {{ ref('dim_fiscal_period') }}
    where grain = 'quarter' and start_date <= {{ as_of_date() }}
),

dates as (
    select
        dim_date.date,
        dim_date.quarter_period_key as period_key
    from {{ ref('dim_date') }} as dim_date
    inner join periods on dim_date.quarter_period_key = periods.period_key
),

-- Days without work up to each day: two of them apart is a weekend between.
idle_days as (
    select
        date,
        count(*) filter (where not is_business_day) over (
            order by date rows between unbounded preceding and 1 preceding
        ) as n_idle_before
    from {{ ref('dim_date') }}
),

placed as (
    select
        users.user_key,
        periods.period_key,
        users.name,
        users.team_key,
        users.manager_user_key,
        users.is_placeholder,
        {{ days_between('users.hired_on', 'least(periods.end_date, ' ~ as_of_date() ~ ')') }}
            as tenure_days,
        count(*) over (partition by periods.period_key, users.team_key) as n_team
    from {{ ref('dim_user') }} as users
    inner join periods
        on
            periods.judged_at > users.valid_from
            and (periods.judged_at <= users.valid_to or users.valid_to is null)
),

members as (
    select
        *,
        {% if privacy_k %}
            case when n_team >= {{ privacy_k }} then team_key else 'small_teams' end
        {% else %}
            user_key
        {% endif %}
            as subject_key
    from placed
),

subjects as (
    select
        subject_key,
        period_key,
        {% if privacy_k %}
            cast(null as varchar) as user_key,
            cast(null as varchar) as name,
            cast(null as varchar) as manager_user_key,
        {% else %}
            any_value(user_key) as user_key,
            any_value(name) as name,
            any_value(manager_user_key) as manager_user_key,
        {% endif %}
        case when count(distinct team_key) = 1 then min(team_key) else 'several' end as team_key,
        count(*) as n_users,
        case when count(*) = 1 then max(tenure_days) end as tenure_days
    from members
    group by subject_key, period_key
    having count(*) >= {{ privacy_k }}
),

deals as not materialized (
    select
        deal_key,
        owner_at_won_user_key,
        pipeline_key,
        measure,
        status,
        created_date,
        closed_date,
        created_at,
        won_at,
        case when status = 'won' then amount_at_won_rc else amount_rc end as amount_rc
    from {{ ref('fct_deal') }}
    where not is_deleted and not is_excluded
),

stays as not materialized (
    select
        deal_key,
        pipeline_key,
        owner_user_key,
        stay_no,
        entered_at
    from {{ ref('fct_deal_stage') }}
),

targets as (
    select
        members.subject_key,
        gaps.period_key,
        gaps.measure,
        sum(gaps.quota_rc) as quota_rc,
        sum(gaps.won_rc) as won_rc,
        sum(gaps.open_pipeline_rc) as open_pipeline_rc,
        sum(gaps.overdue_open_rc) as overdue_open_rc,
        sum(gaps.weighted_rc) as weighted_rc
    from {{ ref('mart_quota_gap') }} as gaps
    inner join members
        on gaps.user_key = members.user_key and gaps.period_key = members.period_key
    where
        gaps.scope_type = 'user'
        and gaps.credit_type = 'revenue'
        and gaps.period_grain = 'quarter'
    group by members.subject_key, gaps.period_key, gaps.measure
),

-- Counted by owner before the owners are looked up: few of either, and never deals x owners.
created_by_owner as (
    select
        stays.owner_user_key,
        dates.period_key,
        deals.measure,
        count(*) as created_n,
        sum(deals.amount_rc) as created_rc
    from deals
    inner join stays on deals.deal_key = stays.deal_key and stays.stay_no = 1
    inner join dates on deals.created_date = dates.date
    group by stays.owner_user_key, dates.period_key, deals.measure
),

created as (
    select
        members.subject_key,
        members.period_key,
        owners.measure,
        sum(owners.created_n) as created_n,
        sum(owners.created_rc) as created_rc
    from created_by_owner as owners
    inner join members
        on owners.owner_user_key = members.user_key and owners.period_key = members.period_key
    group by members.subject_key, members.period_key, owners.measure
),

pushes as (
    select
        deal_key,
        count(*) as n_pushes
    from {{ ref('fct_deal_change') }}
    where field = 'expected_close_date' and is_push and not is_post_close
    group by deal_key
),

entries as (
    select
        deal_key,
        pipeline_key,
        min(entered_at) as entered_at
    from stays
    group by deal_key, pipeline_key
),

wins as (
    select
        members.subject_key,
        members.period_key,
        deals.measure,
        count(*) as n_won,
        coalesce(sum(pushes.n_pushes), 0) as n_pushes,
        median(
            greatest(
                {{ seconds_between(
                    'coalesce(entries.entered_at, deals.created_at)', 'deals.won_at'
                ) }},
                0
            ) / 86400.0
        ) as median_cycle_days
    from deals
    inner join dates on deals.closed_date = dates.date
    inner join members
        on
            deals.owner_at_won_user_key = members.user_key
            and dates.period_key = members.period_key
    left join pushes on deals.deal_key = pushes.deal_key
    left join entries
        on deals.deal_key = entries.deal_key and deals.pipeline_key = entries.pipeline_key
    where deals.status = 'won'
    group by members.subject_key, members.period_key, deals.measure
),

decided as (
    select
        members.subject_key,
        rates.period_key,
        sum(rates.won_n) as won_n,
        sum(rates.lost_n) as lost_n,
        sum(rates.won_rc) as won_rc,
        sum(rates.lost_rc) as lost_rc,
        sum(rates.net_n) as net_n,
        sum(rates.net_won_n) as net_won_n
    from {{ ref('mart_win_rate') }} as rates
    inner join members
        on rates.member = members.user_key and rates.period_key = members.period_key
    where rates.dimension = 'owner'
    group by members.subject_key, rates.period_key
),

-- How the open deals are is a fact of today.
open_deals as (
    select
        members.subject_key,
        members.period_key,
        count(*) as n_open,
        count(*) filter (where len(health.signals) > 0) as n_with_signals,
        sum(health.amount_rc) as open_rc,
        sum(health.amount_rc) filter (where len(health.signals) > 0) as with_signals_rc
    from {{ ref('mart_deal_health') }} as health
    inner join members on health.owner_user_key = members.user_key
    inner join periods on members.period_key = periods.period_key and periods.is_current
    group by members.subject_key, members.period_key
),

activities as (
    select
        members.subject_key,
        members.period_key,
        count(*) as n_activities,
        count(*) filter (where activities.type = 'meeting') as n_meetings,
        count(*) filter (where activities.type = 'call') as n_calls
    from {{ ref('fct_activity') }} as activities
    inner join dates on activities.occurred_date = dates.date
    inner join members
        on
            activities.owner_user_key = members.user_key
            and dates.period_key = members.period_key
    where
        activities.done
        and not activities.is_deleted
        and activities.type <> 'note'
        and activities.occurred_at <= {{ as_of_at() }}
    group by members.subject_key, members.period_key
),

letters as (
    select
        thread_key,
        deal_key,
        sent_at,
        sent_date,
        direction,
        lag(direction) over conversation as last_direction,
        min(case when direction = 'out' then sent_at end) over (
            partition by thread_key order by sent_at, email_key
            rows between 1 following and unbounded following
        ) as answered_at
    from {{ ref('fct_email') }}
    where
        direction in ('in', 'out')
        and not is_auto_reply
        and not is_bounce
        and not is_deleted
        and sent_at <= {{ as_of_at() }}
    window conversation as (partition by thread_key order by sent_at, email_key)
),

-- The customer waits from the first letter after our last one. Days without work do not count.
answers as (
    select
        letters.deal_key,
        letters.sent_at,
        letters.sent_date,
        greatest(
            {{ seconds_between('letters.sent_at', 'letters.answered_at') }} / 3600.0
            - 24 * (idle_out.n_idle_before - idle_in.n_idle_before),
            0
        ) as response_hours
    from letters
    inner join idle_days as idle_in on letters.sent_date = idle_in.date
    inner join idle_days as idle_out
        on {{ company_date('letters.answered_at') }} = idle_out.date
    where
        letters.direction = 'in'
        and letters.last_direction is distinct from 'in'
        and letters.deal_key is not null
),

responses as (
    select
        members.subject_key,
        members.period_key,
        count(*) as n_answered,
        median(answers.response_hours) as median_response_hours
    from answers
    inner join {{ ref('fct_deal_version') }} as owners
        on
            answers.deal_key = owners.deal_key
            and answers.sent_at >= owners.valid_from
            and (answers.sent_at < owners.valid_to or owners.valid_to is null)
    inner join dates on answers.sent_date = dates.date
    inner join members
        on owners.owner_user_key = members.user_key and dates.period_key = members.period_key
    group by members.subject_key, members.period_key
),

measured_keys as (
    select
        subject_key,
        period_key,
        measure
    from targets
    union
    select
        subject_key,
        period_key,
        measure
    from created
    union
    select
        subject_key,
        period_key,
        measure
    from wins
),

-- Who neither created nor won anything and has no target still worked.
keys as (
    select * from measured_keys
    union all
    select
        worked.subject_key,
        worked.period_key,
        'bookings' as measure
    from (
        select
            subject_key,
            period_key
        from activities
        union
        select
            subject_key,
            period_key
        from responses
        union
        select
            subject_key,
            period_key
        from open_deals
        union
        select
            subject_key,
            period_key
        from decided
    ) as worked
    anti join measured_keys
        on
            worked.subject_key = measured_keys.subject_key
            and worked.period_key = measured_keys.period_key
),

joined as (
    select
        keys.subject_key,
        keys.period_key,
        keys.measure,
        subjects.user_key,
        subjects.name,
        subjects.manager_user_key,
        subjects.team_key,
        subjects.n_users,
        subjects.tenure_days,
        targets.quota_rc,
        coalesce(targets.won_rc, 0) as won_rc,
        targets.quota_rc - coalesce(targets.won_rc, 0) as gap_rc,
        case
            when targets.quota_rc is not null
                then greatest(targets.quota_rc - coalesce(targets.won_rc, 0), 0)
        end as remaining_gap_rc,
        coalesce(targets.open_pipeline_rc, 0) as open_pipeline_rc,
        coalesce(targets.overdue_open_rc, 0) as overdue_open_rc,
        coalesce(targets.weighted_rc, 0) as weighted_rc,
        {{ ratio('coalesce(targets.won_rc, 0)', 'targets.quota_rc') }} as attainment,
        coalesce(created.created_n, 0) as created_n,
        coalesce(created.created_rc, 0) as created_rc,
        coalesce(wins.n_won, 0) as n_won,
        wins.median_cycle_days,
        {{ ratio('wins.n_pushes', 'wins.n_won') }} as pushes_per_won,
        decided.won_n,
        decided.lost_n,
        decided.won_rc as decided_won_rc,
        decided.lost_rc as decided_lost_rc,
        decided.net_n,
        decided.net_won_n,
        open_deals.n_open,
        open_deals.n_with_signals,
        {{ ratio('coalesce(open_deals.with_signals_rc, 0)', 'open_deals.open_rc') }}
            as share_of_pipeline_with_signals,
        coalesce(activities.n_activities, 0) as n_activities,
        coalesce(activities.n_meetings, 0) as n_meetings,
        coalesce(activities.n_calls, 0) as n_calls,
        coalesce(responses.n_answered, 0) as n_answered,
        responses.median_response_hours
    from keys
    inner join subjects
        on keys.subject_key = subjects.subject_key and keys.period_key = subjects.period_key
    left join targets
        on
            keys.subject_key = targets.subject_key
            and keys.period_key = targets.period_key
            and keys.measure = targets.measure
    left join created
        on
            keys.subject_key = created.subject_key
            and keys.period_key = created.period_key
            and keys.measure = created.measure
    left join wins
        on
            keys.subject_key = wins.subject_key
            and keys.period_key = wins.period_key
            and keys.measure = wins.measure
    {% for part in ['decided', 'open_deals', 'activities', 'responses'] %}
        left join {{ part }}
            on
                keys.subject_key = {{ part }}.subject_key
                and keys.period_key = {{ part }}.period_key
    {% endfor %}
),

final as (
    select
        concat_ws('|', subject_key, period_key, measure) as rep_performance_key,
        '{{ "team" if privacy_k else "user" }}' as subject_type,
        subject_key,
        user_key,
        name,
        team_key,
        manager_user_key,
        period_key,
        measure,
        case
            when tenure_days is null then 'unknown'
            when tenure_days < 90 then 'under 3 months'
            when tenure_days < 365 then '3 to 12 months'
            when tenure_days < 3 * 365 then '1 to 3 years'
            else 'over 3 years'
        end as tenure_band,
        {% for amount in [
            'quota', 'won', 'gap', 'remaining_gap', 'open_pipeline', 'overdue_open', 'weighted',
            'created',
        ] %}
            cast({{ amount }}_rc as {{ money_type() }}) as {{ amount }}_rc,
        {% endfor %}
        cast(n_users as bigint) as n_users,
        cast(created_n as bigint) as created_n,
        cast(n_won as bigint) as won_n,
        cast(coalesce(lost_n, 0) as bigint) as lost_n,
        cast(n_open as bigint) as n_open,
        cast(n_with_signals as bigint) as n_open_with_signals,
        cast(n_activities as bigint) as n_activities,
        cast(n_meetings as bigint) as n_meetings,
        cast(n_calls as bigint) as n_calls,
        cast(n_answered as bigint) as n_answered,
        cast(median_cycle_days as decimal(9, 2)) as median_cycle_days,
        cast(median_response_hours as decimal(9, 2)) as median_response_hours,
        case
            when attainment is not null
                then cast(dense_rank() over (
                    partition by period_key, measure order by attainment desc nulls last
                ) as bigint)
        end as attainment_rank,
        attainment,
        {{ ratio('open_pipeline_rc', 'remaining_gap_rc') }} as coverage,
        {{ ratio('won_n', '(won_n + lost_n)') }} as win_rate_count,
        {{ ratio('decided_won_rc', '(decided_won_rc + decided_lost_rc)') }} as win_rate_value,
        {{ ratio('net_won_n', 'net_n') }} as net_win_rate,
        pushes_per_won,
        share_of_pipeline_with_signals,
        {{ as_of_date() }} as as_of_date
    from joined
)

select * from final
