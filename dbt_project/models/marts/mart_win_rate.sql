-- Grain: one row per fiscal period (month, quarter, year) x dimension x member.

with deals as (
    select * from {{ ref('fct_deal') }}
    where not is_deleted
),

users as (
    select * from {{ ref('dim_user') }}
),

junk_reasons as (
    select * from {{ ref('stg_config__loss_reasons_excluded') }}
),

billed as (
    select
        deal_key,
        sum(billed_net_amt) as billed_net_amt
    from {{ ref('mart_deal_billing_recon') }}
    where deal_key is not null
    group by deal_key
),

windows as (
    select
        pipeline_key,
        window_days
    from {{ ref('int_won_cycles') }}
),

periods as (
    select
        period_key,
        grain,
        start_date,
        end_date
    from {{ ref('dim_fiscal_period') }}
    where grain in ('month', 'quarter', 'year')
),

dates as (
    select
        date,
        unnest([month_period_key, quarter_period_key, year_period_key]) as period_key
    from {{ ref('dim_date') }}
),

judged as (
    select
        deals.deal_key,
        deals.pipeline_key,
        coalesce(deals.owner_at_won_user_key, deals.owner_user_key) as owner_user_key,
        coalesce(deals.source_channel, 'unknown') as source_channel,
        deals.status,
        deals.created_date,
        deals.closed_date,
        coalesce(deals.won_at, deals.lost_at, deals.created_at) as decided_at,
        deals.is_excluded,
        -- A deal lost without a reason is lost.
        deals.status = 'lost'
        and coalesce(
            lower(trim(deals.loss_reason)) in (
                select junk_reasons.loss_reason from junk_reasons
            ),
            false
        ) as is_junk,
        case deals.status
            when 'won' then deals.amount_at_won_rc
            else deals.amount_rc
        end as amount_rc,
        coalesce(billed.billed_net_amt, 0) > 0 as is_billed,
        deals.closed_date + 180 <= {{ as_of_date() }} as is_billing_mature,
        deals.created_date + cast(windows.window_days as integer) <= {{ as_of_date() }}
            as is_cohort_mature,
        deals.status = 'won'
        and {{ company_date('deals.won_at') }}
        <= deals.created_date + cast(windows.window_days as integer) as is_cohort_won
    from deals
    left join billed on deals.deal_key = billed.deal_key
    left join windows on deals.pipeline_key = windows.pipeline_key
),

-- A merged-away deal that was closed is counted with its survivor, once.
merged_away as (
    select
        pipeline_key,
        owner_user_key,
        coalesce(source_channel, 'unknown') as source_channel,
        valid_from as decided_at,
        {{ company_date('valid_from') }} as closed_date
    from {{ ref('fct_deal_version') }}
    where is_current and is_merged_away and status in ('won', 'lost')
),

events as (
    select
        pipeline_key,
        owner_user_key,
        source_channel,
        decided_at,
        closed_date as event_date,
        not is_excluded and status = 'won' as is_won,
        not is_excluded and status = 'lost' and not is_junk as is_lost,
        not is_excluded and is_junk as is_excluded_junk,
        is_excluded as is_excluded_rule,
        false as is_excluded_merged,
        false as is_created,
        false as is_cohort_won,
        is_billing_mature,
        is_billed,
        amount_rc
    from judged
    where status in ('won', 'lost') and closed_date is not null
    union all
    select
        pipeline_key,
        owner_user_key,
        source_channel,
        decided_at,
        closed_date as event_date,
        false as is_won,
        false as is_lost,
        false as is_excluded_junk,
        false as is_excluded_rule,
        true as is_excluded_merged,
        false as is_created,
        false as is_cohort_won,
        false as is_billing_mature,
        false as is_billed,
        null as amount_rc
    from merged_away
    union all
    select
        pipeline_key,
        owner_user_key,
        source_channel,
        decided_at,
        created_date as event_date,
        false as is_won,
        false as is_lost,
        false as is_excluded_junk,
        false as is_excluded_rule,
        false as is_excluded_merged,
        true as is_created,
        is_cohort_won,
        false as is_billing_mature,
        false as is_billed,
        null as amount_rc
    from judged
    where is_cohort_mature and not is_excluded and not is_junk
),

placed as (
    select
        events.*,
        coalesce(users.team_key, 'unassigned') as team_key
    from events
    left join users
        on
            events.owner_user_key = users.user_key
            and events.decided_at >= users.valid_from
            and events.decided_at < coalesce(users.valid_to, {{ far_future() }})
),

counted as (
    select
        event_date,
        case
            when grouping(pipeline_key) = 0 then 'pipeline'
            when grouping(owner_user_key) = 0 then 'owner'
            when grouping(team_key) = 0 then 'team'
            when grouping(source_channel) = 0 then 'source_channel'
            else 'all'
        end as dimension,
        case
            when grouping(pipeline_key) = 0 then coalesce(pipeline_key, 'unknown')
            when grouping(owner_user_key) = 0 then coalesce(owner_user_key, 'unknown')
            when grouping(team_key) = 0 then team_key
            when grouping(source_channel) = 0 then source_channel
            else 'all'
        end as member,
        count(*) filter (where is_won) as won_n,
        count(*) filter (where is_lost) as lost_n,
        count(*) filter (where is_excluded_junk) as excluded_junk_n,
        count(*) filter (where is_excluded_rule) as excluded_rule_n,
        count(*) filter (where is_excluded_merged) as excluded_merged_n,
        count(*) filter (where (is_won or is_lost) and amount_rc is null) as n_without_amount,
        sum(amount_rc) filter (where is_won) as won_rc,
        sum(amount_rc) filter (where is_lost) as lost_rc,
        count(*) filter (where is_created) as cohort_n,
        count(*) filter (where is_created and is_cohort_won) as cohort_won_n,
        count(*) filter (where (is_won or is_lost) and is_billing_mature) as net_n,
        count(*) filter (where is_won and is_billing_mature and is_billed) as net_won_n
    from placed
    group by
        grouping sets (
            (event_date),
            (event_date, pipeline_key),
            (event_date, owner_user_key),
            (event_date, team_key),
            (event_date, source_channel)
        )
),

summed as (
    select
        dates.period_key,
        counted.dimension,
        counted.member,
        sum(counted.won_n) as won_n,
        sum(counted.lost_n) as lost_n,
        sum(counted.excluded_junk_n) as excluded_junk_n,
        sum(counted.excluded_rule_n) as excluded_rule_n,
        sum(counted.excluded_merged_n) as excluded_merged_n,
        sum(counted.n_without_amount) as n_without_amount,
        coalesce(sum(counted.won_rc), 0) as won_rc,
        coalesce(sum(counted.lost_rc), 0) as lost_rc,
        sum(counted.cohort_n) as cohort_n,
        sum(counted.cohort_won_n) as cohort_won_n,
        sum(counted.net_n) as net_n,
        sum(counted.net_won_n) as net_won_n
    from counted
    inner join dates on counted.event_date = dates.date
    group by dates.period_key, counted.dimension, counted.member
),

final as (
    select
        concat_ws('|', summed.period_key, summed.dimension, summed.member) as win_rate_key,
        summed.period_key,
        periods.grain,
        summed.dimension,
        summed.member,
        cast(summed.won_rc as {{ money_type() }}) as won_rc,
        cast(summed.lost_rc as {{ money_type() }}) as lost_rc,
        cast(summed.won_n as bigint) as won_n,
        cast(summed.lost_n as bigint) as lost_n,
        cast(summed.excluded_junk_n + summed.excluded_rule_n + summed.excluded_merged_n as bigint)
            as excluded_n,
        cast(summed.excluded_junk_n as bigint) as excluded_junk_n,
        cast(summed.excluded_rule_n as bigint) as excluded_rule_n,
        cast(summed.excluded_merged_n as bigint) as excluded_merged_n,
        cast(summed.n_without_amount as bigint) as n_without_amount,
        cast(summed.cohort_n as bigint) as cohort_n,
        cast(summed.cohort_won_n as bigint) as cohort_won_n,
        cast(summed.net_n as bigint) as net_n,
        cast(summed.net_won_n as bigint) as net_won_n,
        {{ ratio('summed.won_n', '(summed.won_n + summed.lost_n)') }} as win_rate_count,
        {{ ratio('summed.won_rc', '(summed.won_rc + summed.lost_rc)') }} as win_rate_value,
        {{ ratio('summed.cohort_won_n', 'summed.cohort_n') }} as cohort_win_rate,
        {{ ratio('summed.net_won_n', 'summed.net_n') }} as net_win_rate,
        {{ as_of_date() }} as as_of_date
    from summed
    inner join periods on summed.period_key = periods.period_key
)

select * from final
