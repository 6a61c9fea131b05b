-- Grain: one row per open deal (not deleted, merged or excluded), as of the build's date: why
-- somebody should act, by when, and what was said about it already.

with health as (
    select * from {{ ref('mart_deal_health') }}
),

catalogue as (
    {{ deal_signal_rows() }}
),

reasons as (
    select
        signals.deal_key,
        arg_min(catalogue.check_id, catalogue.urgency) as top_check_id,
        arg_min(catalogue.signal, catalogue.urgency) as top_signal,
        arg_min(signals.detail, catalogue.urgency) as top_detail,
        arg_min(catalogue.act_within_business_days, catalogue.urgency)
            as act_within_business_days,
        max(signals.since_at) as newest_reason_at
    from {{ ref('int_deal_signals') }} as signals
    inner join catalogue on signals.check_id = catalogue.check_id
    group by signals.deal_key
),

next_business_days as (
    select
        date,
        row_number() over (order by date) as days_ahead
    from {{ ref('dim_date') }}
    where is_business_day and date > {{ as_of_date() }}
    qualify row_number() over (order by date) <= 5
),

{% if has_source('files') %}
    survivors as (
        select
            deal_key,
            survivor_deal_key
        from {{ ref('int_deal_survivors') }}
    ),

    said as (
        select *
        from {{ ref('stg_files__follow_ups') }}
        qualify
            row_number() over (
                partition by follow_up_key
                order by observed_at desc, sync_id desc, position desc
            ) = 1
    ),

    -- The newest word on a deal is the one that holds.
    acknowledged as (
        select
            coalesce(survivors.survivor_deal_key, said.deal_key) as deal_key,
            said.acknowledged_by,
            said.note,
            said.acknowledged_on,
            said.snoozed_until
        from said
        left join survivors on said.deal_key = survivors.deal_key
        where not said.is_deleted and said.acknowledged_on <= {{ as_of_date() }}
        qualify
            row_number() over (
                partition by coalesce(survivors.survivor_deal_key, said.deal_key)
                order by said.acknowledged_on desc, said.observed_at desc, said.follow_up_key
            ) = 1
    ),
{% else %}
    acknowledged as (
        select
            cast(null as varchar) as deal_key,
            cast(null as varchar) as acknowledged_by,
            cast(null as varchar) as note,
            cast(null as date) as acknowledged_on,
            cast(null as date) as snoozed_until
        where false
    ),
{% endif %}

judged as (
    select
        health.*,
        reasons.top_check_id,
        reasons.top_signal,
        reasons.top_detail,
        acknowledged.acknowledged_by,
        acknowledged.note,
        acknowledged.acknowledged_on,
        acknowledged.snoozed_until,
        coalesce(
            next_business_days.date, {{ as_of_date() }} + reasons.act_within_business_days
        ) as act_by_date,
        {{ company_date('health.first_flagged_at') }} as first_flagged_date,
        case
            when reasons.deal_key is null then 'none'
            when acknowledged.snoozed_until > {{ as_of_date() }} then 'snoozed'
            -- A word covers the reasons that stood when it was said, and no later one.
            when
                acknowledged.snoozed_until is null
                and {{ company_date('reasons.newest_reason_at') }} <= acknowledged.acknowledged_on
                then 'acknowledged'
            else 'open'
        end as ack_state
    from health
    left join reasons on health.deal_key = reasons.deal_key
    left join next_business_days
        on reasons.act_within_business_days = next_business_days.days_ahead
    left join acknowledged on health.deal_key = acknowledged.deal_key
),

final as (
    select
        deal_key,
        name,
        owner_user_key,
        manager_user_key,
        team_key,
        pipeline_key,
        stage_key,
        top_check_id,
        top_signal || ': ' || top_detail as top_reason,
        reason as all_reasons,
        signals as check_ids,
        suggested_action,
        ack_state,
        acknowledged_by,
        note as ack_note,
        amount_rc as value_at_stake_rc,
        health_score,
        cast(
            {{ days_between('first_flagged_date', as_of_date()) }} as bigint
        ) as days_open,
        ack_state = 'open' as is_due,
        -- What is planned earlier comes first; nobody is called while the deal is snoozed.
        case
            when top_check_id is null then next_activity_date
            when ack_state = 'snoozed' then snoozed_until
            else least(act_by_date, coalesce(next_activity_date, act_by_date))
        end as suggested_next_date,
        next_activity_date,
        first_flagged_date,
        acknowledged_on as acknowledged_date,
        snoozed_until as snoozed_until_date,
        as_of_date,
        is_deleted,
        source_system,
        connection,
        raw_version_id
    from judged
)

select * from final
