-- Grain: one row per basis, window, ledger, deal and posting: a reason for which the open pipeline
-- of the window, or what was booked in it, became more or less.
--
-- A deal is followed from version to version. At each boundary it leaves or enters a scope, or
-- stays and changes its worth; what it leaves with is its worth after the change. `fx` is posted
-- once per stretch between two boundaries: the sum of what a posting per day would come to.
--
-- depends_on: {{ ref('int_pipeline_inputs') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals("int_pipeline_inputs") }}',
    in_parts_of='int_pipeline_inputs',
    in_parts_where='is_changed',
    in_parts_rows='n_versions',
) }}

with versions as not materialized (
    select *
    from {{ ref('int_pipeline_versions') }}
    {{ only_changed_deals('int_pipeline_inputs') }}
),

windows as (
    select * from {{ ref('int_pipeline_windows') }}
),

balances as not materialized (
    select *
    from {{ ref('int_pipeline_balances') }}
    {{ only_changed_deals('int_pipeline_inputs') }}
),

rates as (
    {{ rates_by_basis() }}
),

steps as (
    select
        *,
        {%- for column in [
            'owner_user_key', 'team_key', 'pipeline_key', 'source_channel', 'status',
            'currency_code', 'amount_amt', 'is_pipeline', 'is_booked', 'is_deleted',
            'is_merged_away', 'month_period_key', 'quarter_period_key', 'expected_close_date',
            'closed_date', 'won_at', 'from_at', 'from_date',
        ] %}
        lag({{ column }}) over w as old_{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from versions
    window w as (partition by basis, deal_key order by from_at)
),

-- A boundary is looked at in the windows in which the deal counts before it or after it.
periods as (
    select
        *,
        unnest(list_distinct([
            old_month_period_key, month_period_key, old_quarter_period_key, quarter_period_key
        ])) as period_key
    from steps
),

touched as (
    select
        periods.* exclude (
            period_key,
            {%- for prefix in ['', 'old_'] %}
            {{ prefix }}month_period_key, {{ prefix }}quarter_period_key, {{ prefix }}is_booked,
            {{ prefix }}is_pipeline,
            {%- endfor %}
            won_rc, won_owner_user_key, won_team_key, won_pipeline_key, won_source_channel, to_at
        ),
        windows.window_no,
        windows.close_from,
        windows.close_to,
        windows.first_date,
        windows.from_at as window_from_at,
        {%- for prefix, due, booking in [('old_', 'was_due', 'was_booking'),
            ('', 'is_due', 'is_booking')] %}
        {%- for flag, name in [('is_pipeline', due), ('is_booked', booking)] %}
        coalesce(
            periods.{{ prefix }}{{ flag }} and windows.period_key in (
                periods.{{ prefix }}month_period_key, periods.{{ prefix }}quarter_period_key
            ),
            false
        ) as {{ name }},
        {%- endfor %}
        {%- endfor %}
        coalesce(periods.owner_user_key = periods.old_owner_user_key, false) as is_same_owner,
        coalesce(periods.team_key = periods.old_team_key, false) as is_same_team,
        coalesce(periods.pipeline_key is not distinct from periods.old_pipeline_key, false)
            as is_same_pipeline,
        coalesce(periods.source_channel is not distinct from periods.old_source_channel, false)
            as is_same_channel
    from periods
    inner join windows
        on
            periods.period_key = windows.period_key
            and periods.from_at >= windows.from_at
            and periods.from_at < windows.to_at
),

booked as (
    select
        *,
        {{ booking_reason('old_', '') }} as booking_reason
    from touched
),

placed as (
    select
        *,
        -- The pipeline's `won` is the bookings' `won`: whatever wins passes through the pipeline.
        is_booking and not was_booking and booking_reason = 'won' as is_win,
        case
            when is_booking and not was_booking and booking_reason = 'won' then closed_date
            else from_date
        end as worth_date,
        case when old_from_at < window_from_at then first_date - 1 else old_from_date end
            as old_worth_date,
        case when is_booking then closed_date else old_closed_date end as booked_date
    from booked
),

valued as (
    select
        placed.*,
        {{ pipeline_value('placed.old_amount_amt', 'started.rate_to_rc') }} as start_rc,
        {{ pipeline_value('placed.old_amount_amt', 'before.rate_to_rc') }} as old_rc,
        {{ pipeline_value('placed.amount_amt', 'after.rate_to_rc') }} as new_rc,
        {{ pipeline_value('placed.old_amount_amt', 'booked_before.rate_to_rc') }} as old_booked_rc,
        {{ pipeline_value('placed.amount_amt', 'booked_after.rate_to_rc') }} as new_booked_rc,
        {{ exit_reason('placed.old_', 'placed.') }} as left_for,
        {{ entry_reason('placed.old_', 'placed.') }} as came_by
    from placed
    left join rates as started
        on
            placed.basis = started.basis
            and placed.old_currency_code = started.currency_code
            and placed.old_worth_date = started.rate_date
    left join rates as before
        on
            placed.basis = before.basis
            and placed.old_currency_code = before.currency_code
            and placed.worth_date = before.rate_date
    left join rates as after
        on
            placed.basis = after.basis
            and placed.currency_code = after.currency_code
            and placed.worth_date = after.rate_date
    left join rates as booked_before
        on
            placed.basis = booked_before.basis
            and placed.old_currency_code = booked_before.currency_code
            and placed.old_closed_date = booked_before.rate_date
    left join rates as booked_after
        on
            placed.basis = booked_after.basis
            and placed.currency_code = booked_after.currency_code
            and placed.booked_date = booked_after.rate_date
),

judged as (
    select
        *,
        is_due or is_win as is_in,
        -- Whoever owned it: the deal itself is gone, or came.
        left_for in ('merged', 'deleted', 'lost') as is_gone,
        came_by in ('created', 'reopened', 'restored', 'unmerged') as is_new
    from valued
),

{#- step, ledger, side whose owner it is, reason, worth, and when it counts: in all scopes, or for
    the company, the owner, the team, the pipeline, the source channel. -#}
{% set always = 'true' %}
{% set postings = [
    (1, 'pipeline', 'old_', "'fx'", 'old_rc - start_rc', 'was_due and old_rc <> start_rc',
        always, always, always, always, always),
    (2, 'pipeline', 'old_',
        "case when currency_code is distinct from old_currency_code then 'currency_changed'"
        ~ " when new_rc > old_rc then 'increased' else 'decreased' end",
        'new_rc - old_rc', 'was_due and new_rc <> old_rc', always, always, always, always, always),
    (3, 'pipeline', 'old_', 'left_for', '-new_rc', 'was_due and not is_in',
        always, 'is_same_owner or is_gone', 'is_same_team or is_gone',
        'is_same_pipeline or is_gone', 'is_same_channel or is_gone'),
    (4, 'pipeline', 'old_', "'moved_out_owner'", '-new_rc',
        'was_due and not is_gone and not (is_same_owner and is_same_team)',
        'false', 'not is_same_owner', 'not is_same_team', 'false', 'false'),
    (5, 'pipeline', 'old_', "'moved_out_pipeline'", '-new_rc',
        'was_due and not is_gone and not is_same_pipeline',
        'false', 'false', 'false', always, 'false'),
    (6, 'pipeline', 'old_', "'moved_out_channel'", '-new_rc',
        'was_due and not is_gone and not is_same_channel',
        'false', 'false', 'false', 'false', always),
    (7, 'pipeline', '', 'came_by', 'new_rc', 'is_in and not was_due',
        always, 'is_same_owner or is_new', 'is_same_team or is_new',
        'is_same_pipeline or is_new', 'is_same_channel or is_new'),
    (8, 'pipeline', '', "'moved_in_owner'", 'new_rc',
        'is_in and (was_due or not is_new) and not (is_same_owner and is_same_team)',
        'false', 'not is_same_owner', 'not is_same_team', 'false', 'false'),
    (9, 'pipeline', '', "'moved_in_pipeline'", 'new_rc',
        'is_in and (was_due or not is_new) and not is_same_pipeline',
        'false', 'false', 'false', always, 'false'),
    (10, 'pipeline', '', "'moved_in_channel'", 'new_rc',
        'is_in and (was_due or not is_new) and not is_same_channel',
        'false', 'false', 'false', 'false', always),
    (11, 'pipeline', '', "'won'", '-new_rc', 'is_win', always, always, always, always, always),
    (12, 'bookings', 'old_', "'amended'", 'new_booked_rc - old_booked_rc',
        'was_booking and new_booked_rc <> old_booked_rc', always, always, always, always, always),
    (13, 'bookings', 'old_',
        "case when is_merged_away then 'merged' when is_deleted then 'deleted' else 'reopened' end",
        '-new_booked_rc', 'was_booking and not is_booking', always, always, always, always, always),
    (14, 'bookings', '', 'booking_reason', 'new_booked_rc', 'is_booking and not was_booking',
        always, always, always, always, always),
    (15, 'bookings', 'old_', "'moved_owner'", '-new_booked_rc',
        'was_booking and is_booking and not (is_same_owner and is_same_team)',
        'false', 'not is_same_owner', 'not is_same_team', 'false', 'false'),
    (16, 'bookings', '', "'moved_owner'", 'new_booked_rc',
        'was_booking and is_booking and not (is_same_owner and is_same_team)',
        'false', 'not is_same_owner', 'not is_same_team', 'false', 'false'),
    (17, 'bookings', 'old_', "'moved_pipeline'", '-new_booked_rc',
        'was_booking and is_booking and not is_same_pipeline',
        'false', 'false', 'false', always, 'false'),
    (18, 'bookings', '', "'moved_pipeline'", 'new_booked_rc',
        'was_booking and is_booking and not is_same_pipeline',
        'false', 'false', 'false', always, 'false'),
    (19, 'bookings', 'old_', "'moved_channel'", '-new_booked_rc',
        'was_booking and is_booking and not is_same_channel',
        'false', 'false', 'false', 'false', always),
    (20, 'bookings', '', "'moved_channel'", 'new_booked_rc',
        'was_booking and is_booking and not is_same_channel',
        'false', 'false', 'false', 'false', always),
] %}

-- Deals in another currency that are still there when the window ends.
held as (
    select
        spans.*,
        {{ pipeline_value('spans.amount_amt', 'started.rate_to_rc') }} as start_rc,
        {{ pipeline_value('spans.amount_amt', 'ended.rate_to_rc') }} as end_rc
    from (
        {%- for grain in ['month', 'quarter'] %}
        select
            versions.*,
            windows.window_no,
            windows.last_date,
            windows.to_at as window_to_at,
            case
                when versions.from_at < windows.from_at then windows.first_date - 1
                else versions.from_date
            end as start_date
        from versions
        inner join windows
            on
                versions.{{ grain }}_period_key = windows.period_key
                and versions.from_at < windows.to_at
                and versions.to_at >= windows.to_at
        where
            versions.is_pipeline
            and versions.currency_code is distinct from '{{ var("reporting_currency") }}'
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as spans
    left join rates as started
        on
            spans.basis = started.basis
            and spans.currency_code = started.currency_code
            and spans.start_date = started.rate_date
    left join rates as ended
        on
            spans.basis = ended.basis
            and spans.currency_code = ended.currency_code
            and spans.last_date = ended.rate_date
),

posted as (
    {%- for step, ledger, side, reason, worth, condition, company, owner, team, pipeline, channel
        in postings %}
    select
        basis,
        window_no,
        deal_key,
        measure,
        '{{ ledger }}' as ledger,
        {{ reason }} as reason,
        {{ side }}owner_user_key as owner_user_key,
        {{ side }}team_key as team_key,
        {{ side }}pipeline_key as pipeline_key,
        {{ side }}source_channel as source_channel,
        raw_version_id,
        {{ worth }} as amount_rc,
        {{ step }} as step_no,
        {{ company }} as is_company_row,
        {{ owner }} as is_owner_row,
        {{ team }} as is_team_row,
        {{ pipeline }} as is_pipeline_row,
        {{ channel }} as is_source_channel_row,
        old_expected_close_date,
        expected_close_date,
        from_date as posted_date,
        from_at as posted_at
    from judged
    where {{ condition }}
    union all
    {%- endfor %}
    -- What the money itself was worth more or less to the end of the window.
    select
        basis,
        window_no,
        deal_key,
        measure,
        'pipeline' as ledger,
        'fx' as reason,
        owner_user_key,
        team_key,
        pipeline_key,
        source_channel,
        raw_version_id,
        end_rc - start_rc as amount_rc,
        21 as step_no,
        true as is_company_row,
        true as is_owner_row,
        true as is_team_row,
        true as is_pipeline_row,
        true as is_source_channel_row,
        expected_close_date as old_expected_close_date,
        expected_close_date,
        last_date as posted_date,
        least(window_to_at, {{ as_of_at() }}) as posted_at
    from held
    where end_rc <> start_rc
),

compared as (
    select
        posted.*,
        windows.period_key,
        windows.window_type,
        windows.grain,
        windows.close_from,
        windows.close_to,
        windows.n_days,
        {%- for side in ['start', 'end'] %}
        coalesce(
            case posted.ledger
                when 'pipeline' then balances.{{ side }}_is_due
                else balances.{{ side }}_is_booking
            end,
            false
        ) as is_in_at_{{ side }},
        {%- for scope, key in [
            ('owner', 'owner_user_key'), ('team', 'team_key'), ('pipeline', 'pipeline_key'),
            ('source_channel', 'source_channel'),
        ] %}
        coalesce(balances.{{ side }}_{{ key }}, '') = coalesce(posted.{{ key }}, '')
            as is_{{ scope }}_at_{{ side }}{{ ',' if not (loop.last and side == 'end') }}
        {%- endfor %}
        {%- endfor %}
    from posted
    inner join windows on posted.window_no = windows.window_no
    left join balances
        on
            posted.basis = balances.basis
            and posted.window_no = balances.window_no
            and posted.deal_key = balances.deal_key
),

final as (
    select
        concat_ws(
            '|', basis, period_key, window_type, deal_key, {{ microseconds_of('posted_at') }}, step_no
        ) as pipeline_movement_key,
        basis,
        period_key,
        grain as period_grain,
        window_type,
        ledger,
        deal_key,
        measure,
        reason,
        owner_user_key,
        team_key,
        pipeline_key,
        source_channel,
        cast(amount_rc as {{ money_type() }}) as amount_rc,
        cast(step_no as bigint) as step_no,
        is_company_row,
        is_owner_row,
        is_team_row,
        is_pipeline_row,
        is_source_channel_row,
        reason = 'pushed_out'
        and window_type = 'period'
        and {{ days_between('posted_date', 'close_to') }} + 1
        <= n_days * {{ var('slip_window_share') }} as is_slip,
        not is_in_at_start and not is_in_at_end as is_transient,
        {%- for scope in ['owner', 'team', 'pipeline', 'source_channel'] %}
        not (is_in_at_start and is_{{ scope }}_at_start)
        and not (is_in_at_end and is_{{ scope }}_at_end) as is_transient_for_{{ scope }},
        {%- endfor %}
        old_expected_close_date,
        expected_close_date,
        posted_date,
        posted_at,
        raw_version_id
    from compared
)

select * from final
