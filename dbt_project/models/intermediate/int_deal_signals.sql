-- Grain: one row per open deal x signal (D-01 to D-19) that it shows. since_at is the instant
-- from which the condition held, read from the deal's own dates: a rebuild says the same.

with conditions as (
    select
        *,
        days_in_stage > stage_limit_days as is_stage_age_exceeded,
        coalesce(
            {{ seconds_between('last_two_way_at', as_of_at()) }}
            > {{ var('no_touch_days', 14) }} * 86400,
            true
        ) as is_silent,
        n_unanswered >= {{ var('ghost_outbound_n', 2) }}
        and last_outbound_at <= {{ plus_days(as_of_at(), '-' ~ var('ghost_days', 7)) }}
            as is_ghosted,
        {{ days_between(as_of_date(), 'expected_close_date') }} as days_to_close,
        {{ seconds_between('created_at', as_of_at()) }} / 86400.0 as age_days
    from {{ ref('int_deal_conditions') }}
),

judged as (
    select
        *,
        is_stage_age_exceeded and (is_silent or next_activity_date is null) as is_stalled
    from conditions
),

signals as (
    select
        deal_key,
        'D-01' as check_id,
        {{ plus_days('last_touch_at','rotten_days') }} as since_at,
        cast({{ days_between(company_date('last_touch_at'), as_of_date()) }} as double) as value,
        cast(rotten_days as double) as limit_value,
        concat('no touch since ', cast({{ company_date('last_touch_at') }} as varchar)) as detail
    from judged
    where {{ seconds_between('last_touch_at', as_of_at()) }} > rotten_days * 86400
    union all
    select
        deal_key,
        'D-02' as check_id,
        {{ plus_days('stage_entered_at','ceil(stage_limit_days)') }} as since_at,
        cast(days_in_stage as double) as value,
        cast(stage_limit_days as double) as limit_value,
        concat(
            'in this stage for ', cast(cast(floor(days_in_stage) as bigint) as varchar), ' days'
        ) as detail
    from judged
    where is_stage_age_exceeded
    union all
    select
        deal_key,
        'D-03' as check_id,
        {{ plus_days('stage_entered_at','ceil(stage_limit_days)') }} as since_at,
        cast(days_in_stage as double) as value,
        cast(stage_limit_days as double) as limit_value,
        concat(
            'over the stage''s limit and ',
            case
                when next_activity_date is null then 'nothing is planned' else
                    'the customer has been silent'
            end
        ) as detail
    from judged
    where is_stalled
    union all
    select
        deal_key,
        'D-04' as check_id,
        {{ plus_days('last_outbound_at', var('ghost_days', 7)) }} as since_at,
        cast(n_unanswered as double) as value,
        cast({{ var('ghost_outbound_n', 2) }} as double) as limit_value,
        concat(cast(n_unanswered as varchar), ' messages without an answer') as detail
    from judged
    where is_ghosted
    union all
    select
        deal_key,
        'D-05' as check_id,
        stage_entered_at as since_at,
        cast(0 as double) as value,
        cast(1 as double) as limit_value,
        'nothing is planned' as detail
    from judged
    where stage_order >= 2 and next_activity_date is null
    union all
    select
        deal_key,
        'D-06' as check_id,
        {{ plus_days(start_of_day('overdue_date'), 4) }} as since_at,
        cast(overdue_business_days as double) as value,
        cast(3 as double) as limit_value,
        concat('an activity was due on ', cast(overdue_date as varchar)) as detail
    from judged
    where overdue_business_days > 3
    union all
    select
        deal_key,
        'D-07' as check_id,
        {{ start_of_day('expected_close_date + 1') }} as since_at,
        cast({{ days_between('expected_close_date', as_of_date()) }} as double) as value,
        cast(0 as double) as limit_value,
        concat('was to close on ', cast(expected_close_date as varchar)) as detail
    from judged
    where expected_close_date < {{ as_of_date() }}
    union all
    select
        deal_key,
        'D-08' as check_id,
        stage_entered_at as since_at,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        'no close date' as detail
    from judged
    where stage_order >= 2 and expected_close_date is null
    union all
    select
        deal_key,
        'D-09' as check_id,
        last_push_at as since_at,
        cast(n_pushes as double) as value,
        cast({{ var('max_pushes', 3) }} as double) as limit_value,
        concat(
            'pushed ',
            cast(n_pushes as varchar),
            ' times, ',
            cast(push_days_total as varchar),
            ' days in all'
        ) as detail
    from judged
    where n_pushes >= {{ var('max_pushes', 3) }} or push_days_total > {{ var('max_push_days', 90) }}
    union all
    select
        deal_key,
        'D-10' as check_id,
        stage_entered_at as since_at,
        cast(days_to_close as double) as value,
        cast(
            case
                when days_to_close < p10_remaining_days then p10_remaining_days else
                    2 * p90_remaining_days
            end as double
        ) as limit_value,
        case
            when
                days_to_close < p10_remaining_days
                then 'sooner than nine of ten won deals managed'
            else 'later than twice what won deals took'
        end as detail
    from judged
    where
        expected_close_date >= {{ as_of_date() }}
        and (days_to_close < p10_remaining_days or days_to_close > 2 * p90_remaining_days)
    union all
    select
        deal_key,
        'D-11' as check_id,
        {{ plus_days('coalesce(last_two_way_at, created_at)', var('no_touch_days', 14)) }}
            as since_at,
        cast(
            {{ days_between(
                company_date('coalesce(last_two_way_at, created_at)'), as_of_date()
            ) }} as double
        )
            as value,
        cast({{ var('no_touch_days', 14) }} as double) as limit_value,
        'in commit, and the customer has been silent' as detail
    from judged
    where forecast_category = 'commit' and is_silent
    union all
    select
        deal_key,
        'D-12' as check_id,
        stage_entered_at as since_at,
        cast(n_engaged_contacts as double) as value,
        cast(2 as double) as limit_value,
        concat('large, and ', cast(n_engaged_contacts as varchar), ' contact takes part') as detail
    from judged
    where amount_rc >= p75_amount_rc and stage_share >= 0.5 and n_engaged_contacts < 2
    union all
    select
        deal_key,
        'D-13' as check_id,
        coalesce(owner_version_from, created_at) as since_at,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        case owner_user_key
            when 'unknown' then 'nobody we know owns it' else 'its owner is no longer here'
        end as detail
    from judged
    where not is_owner_active
    union all
    select
        deal_key,
        'D-14' as check_id,
        {{ plus_days('created_at','ceil(2 * p90_cycle_days)') }} as since_at,
        cast(age_days as double) as value,
        cast(2 * p90_cycle_days as double) as limit_value,
        'more than twice as old as nine of ten won deals' as detail
    from judged
    where age_days > 2 * p90_cycle_days
    union all
    select
        deal_key,
        'D-15' as check_id,
        last_swing_at as since_at,
        cast(swing as double) as value,
        cast(0.5 as double) as limit_value,
        'the amount changed by more than half within a week' as detail
    from judged
    where swing > 0.5 and stage_share > 2.0 / 3
    union all
    select
        deal_key,
        'D-16' as check_id,
        stage_entered_at as since_at,
        cast(0 as double) as value,
        cast(1 as double) as limit_value,
        'late, and no quote was written' as detail
    from judged
    where stage_share >= 0.75 and not has_quote and lines_amt is null
    union all
    select
        deal_key,
        'D-17' as check_id,
        {{ start_of_day('quote_valid_until + 1') }} as since_at,
        cast({{ days_between('quote_valid_until', as_of_date()) }} as double) as value,
        cast(0 as double) as limit_value,
        concat('the quote was good until ', cast(quote_valid_until as varchar)) as detail
    from judged
    where has_quote and is_quote_expired and quote_valid_until < {{ as_of_date() }}
    union all
    select
        deal_key,
        'D-18' as check_id,
        last_backward_at as since_at,
        cast(n_backward_90 as double) as value,
        cast(2 as double) as limit_value,
        concat('moved back ', cast(n_backward_90 as varchar), ' times in 90 days') as detail
    from judged
    where n_backward_90 >= 2
    union all
    select
        deal_key,
        'D-19' as check_id,
        stage_entered_at as since_at,
        cast(share_of_weighted as double) as value,
        cast({{ var('max_concentration', 0.3) }} as double) as limit_value,
        'more than its share of the period''s weighted pipeline' as detail
    from judged
    where share_of_weighted > {{ var('max_concentration', 0.3) }}
),

final as (
    select
        deal_key,
        check_id,
        -- A condition that is told today began today at the latest.
        least(since_at, {{ as_of_at() }}) as since_at,
        value,
        limit_value,
        detail
    from signals
)

select * from final
