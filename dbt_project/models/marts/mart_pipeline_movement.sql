-- Grain: one row per basis, scope, measure, window, ledger, view and reason: the bridge from what
-- was there at the start of the window (reason `start`) to what was there at its end (`end`).
-- The end is counted from the deals and not from the reasons: residual_rc compares the two.

{% set scopes = ['company', 'owner', 'team', 'pipeline', 'source_channel'] %}
{% set keys = {
    'owner': 'owner_user_key', 'team': 'team_key', 'pipeline': 'pipeline_key',
    'source_channel': 'source_channel',
} %}
{% set places = {'pipeline': 'pipeline', 'source_channel': 'channel'} %}

with windows as (
    select * from {{ ref('int_pipeline_windows') }}
),

rates as (
    {{ rates_by_basis() }}
),

-- Read many times and never held: it is wide, and each question needs little of it.
balances as not materialized (
    select
        *,
        end_status = 'open' and not end_is_deleted and not end_is_merged_away as is_open_at_end
    from {{ ref('int_pipeline_balances') }}
),

-- Open deals that nobody dated are due in no window.
undated as (
    select
        versions.basis,
        versions.deal_key,
        versions.measure,
        versions.owner_user_key,
        versions.team_key,
        versions.pipeline_key,
        versions.source_channel,
        windows.window_no,
        edges.reason,
        {{ pipeline_value('versions.amount_amt', 'rates.rate_to_rc') }} as value_rc
    from windows
    cross join (select unnest(['start', 'end']) as reason) as edges
    inner join {{ ref('int_pipeline_versions') }} as versions
        on
            versions.from_at < case edges.reason when 'start' then windows.from_at else windows.to_at end
            and versions.to_at >= case edges.reason
                when 'start' then windows.from_at else windows.to_at
            end
    left join rates
        on
            versions.basis = rates.basis
            and versions.currency_code = rates.currency_code
            and case edges.reason when 'start' then windows.first_date - 1 else windows.last_date end
            = rates.rate_date
    where
        windows.window_type = 'period'
        and versions.is_pipeline
        and versions.expected_close_date is null
),

movements as not materialized (
    select
        movements.*,
        windows.window_no
    from {{ ref('fct_pipeline_movement') }} as movements
    inner join windows
        on
            movements.period_key = windows.period_key
            and movements.window_type = windows.window_type
),

moves as (
    {%- for scope in scopes %}
    select
        movements.basis,
        '{{ scope }}' as scope_type,
        {{ 'movements.' ~ keys[scope] if scope in keys else "'company'" }} as scope_key,
        movements.measure,
        movements.window_no,
        movements.ledger,
        'path' as movement_view,
        movements.reason,
        movements.amount_rc,
        case when movements.is_slip then movements.amount_rc else 0 end as slip_rc,
        case when movements.is_transient{{ '_for_' ~ scope if scope in keys }}
            then movements.amount_rc else 0 end as transient_rc
    from movements
    where movements.is_{{ scope }}_row
    union all
    {%- endfor %}
    -- `net` is told from the two sides alone: what a deal did in between and undid is not there.
    {%- for scope in scopes %}
    {%- set start_key = 'start_' ~ keys[scope] if scope in keys else "'company'" %}
    {%- set end_key = 'end_' ~ keys[scope] if scope in keys else "'company'" %}
    {%- set away = 'start_' ~ keys[scope] ~ ' is distinct from end_' ~ keys[scope]
        if scope in keys else 'false' %}
    {%- set place = places.get(scope, 'owner') %}
    {%- set net = [
        ('pipeline', start_key, 'start_is_due and not (end_is_due and not ' ~ away ~ ')',
            exit_reason('start_', 'end_', away, 'moved_out_' ~ place), '-start_value_rc'),
        ('pipeline', end_key, 'end_is_due and not (start_is_due and not ' ~ away ~ ')',
            entry_reason('start_', 'end_', away, 'moved_in_' ~ place), 'end_value_rc'),
        ('pipeline', end_key, 'start_is_due and end_is_due and not ' ~ away
            ~ ' and start_currency_code is distinct from end_currency_code',
            "'currency_changed'", 'end_value_rc - start_value_rc'),
        ('pipeline', end_key, 'start_is_due and end_is_due and not ' ~ away
            ~ ' and start_currency_code is not distinct from end_currency_code'
            ~ ' and end_at_start_rate_rc <> start_value_rc',
            "case when end_at_start_rate_rc > start_value_rc then 'increased' else 'decreased' end",
            'end_at_start_rate_rc - start_value_rc'),
        ('pipeline', end_key, 'start_is_due and end_is_due and not ' ~ away
            ~ ' and start_currency_code is not distinct from end_currency_code'
            ~ ' and end_value_rc <> end_at_start_rate_rc',
            "'fx'", 'end_value_rc - end_at_start_rate_rc'),
        ('bookings', start_key, 'start_is_booking and not (end_is_booking and not ' ~ away ~ ')',
            "case when end_is_merged_away then 'merged' when end_is_deleted then 'deleted'"
            ~ " when end_is_booking then 'moved_" ~ place ~ "' else 'reopened' end",
            '-start_value_rc'),
        ('bookings', end_key, 'end_is_booking and not (start_is_booking and not ' ~ away ~ ')',
            booking_reason('start_', 'end_', 'start_is_booking', 'moved_' ~ place), 'end_value_rc'),
        ('bookings', end_key, 'start_is_booking and end_is_booking and not ' ~ away
            ~ ' and end_value_rc <> start_value_rc',
            "'amended'", 'end_value_rc - start_value_rc'),
    ] %}
    {%- for ledger, scope_key, condition, reason, worth in net %}
    select
        basis,
        '{{ scope }}' as scope_type,
        {{ scope_key }} as scope_key,
        measure,
        window_no,
        '{{ ledger }}' as ledger,
        'net' as movement_view,
        {{ reason }} as reason,
        {{ worth }} as amount_rc,
        null as slip_rc,
        null as transient_rc
    from balances
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- Start and end, counted from the deals, with what is told beside them.
edges as (
    {%- for scope in scopes %}
    {%- for reason, side, ledger, condition, worth, won, due, slipped, no_date in [
        ('start', 'start_', 'pipeline', 'start_is_due', 'start_value_rc', '0', '0', '0', '0'),
        ('end', 'end_', 'pipeline', 'end_is_due', 'end_value_rc', '0', '0', '0', '0'),
        ('start', 'start_', 'bookings', 'start_is_booking', 'start_value_rc', '0', '0', '0', '0'),
        ('end', 'end_', 'bookings', 'end_is_booking', 'end_value_rc', '0', '0', '0', '0'),
        ('end', 'won_', 'bookings', 'end_is_booking', none, 'won_rc', '0', '0', '0'),
        ('end', 'due_', 'pipeline', 'due_is_due and is_over', none, '0', 'due_value_rc',
            'case when is_open_at_end then due_value_rc else 0 end', '0'),
        (none, '', 'pipeline', 'true', none, '0', '0', '0', 'value_rc'),
    ] %}
    select
        basis,
        '{{ scope }}' as scope_type,
        {{ side ~ keys[scope] if scope in keys else "'company'" }} as scope_key,
        measure,
        window_no,
        '{{ ledger }}' as ledger,
        {{ "'" ~ reason ~ "'" if reason else 'reason' }} as reason,
        {{ worth or '0' }} as amount_rc,
        {{ '1' if worth else '0' }} as n_deals,
        {{ won }} as won_rc,
        {{ due }} as due_rc,
        {{ slipped }} as slipped_rc,
        {{ no_date }} as no_close_date_rc,
        {{ '0' if reason else '1' }} as n_no_close_date
    from {{ 'balances' if reason else 'undated' }}
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

moved as (
    select
        basis,
        scope_type,
        scope_key,
        measure,
        window_no,
        ledger,
        movement_view,
        reason,
        sum(amount_rc) as amount_rc,
        count(*) as n_events,
        sum(slip_rc) as slip_rc,
        sum(transient_rc) as transient_rc
    from moves
    group by
        basis, scope_type, scope_key, measure, window_no, ledger, movement_view, reason
),

edged as (
    select
        basis,
        scope_type,
        scope_key,
        measure,
        window_no,
        ledger,
        reason,
        sum(amount_rc) as amount_rc,
        sum(n_deals) as n_events,
        sum(won_rc) as won_rc,
        sum(due_rc) as due_rc,
        sum(slipped_rc) as slipped_rc,
        sum(no_close_date_rc) as no_close_date_rc,
        sum(n_no_close_date) as n_no_close_date
    from edges
    group by basis, scope_type, scope_key, measure, window_no, ledger, reason
),

-- Every bridge has both its ends, at nothing if need be. Nothing is booked ahead of its period.
bridges as (
    select
        scoped.*,
        ledgers.ledger,
        views.movement_view
    from (
        select basis, scope_type, scope_key, measure, window_no from moved
        union
        select basis, scope_type, scope_key, measure, window_no from edged
    ) as scoped
    cross join (select unnest(['pipeline', 'bookings']) as ledger) as ledgers
    cross join (select unnest(['path', 'net']) as movement_view) as views
    inner join windows on scoped.window_no = windows.window_no
    where ledgers.ledger = 'pipeline' or windows.window_type <> 'ahead'
),

totals as (
    select
        basis,
        scope_type,
        scope_key,
        measure,
        window_no,
        ledger,
        movement_view,
        sum(amount_rc) as moved_rc
    from moved
    group by basis, scope_type, scope_key, measure, window_no, ledger, movement_view
),

bridged as (
    select
        bridges.*,
        coalesce(totals.moved_rc, 0) as moved_rc,
        coalesce(starts.amount_rc, 0) as start_rc,
        coalesce(starts.n_events, 0) as n_start,
        coalesce(starts.no_close_date_rc, 0) as start_no_close_date_rc,
        coalesce(starts.n_no_close_date, 0) as n_start_no_close_date,
        coalesce(ends.amount_rc, 0) as end_rc,
        coalesce(ends.n_events, 0) as n_end,
        coalesce(ends.won_rc, 0) as won_rc,
        ends.due_rc,
        ends.slipped_rc,
        coalesce(ends.no_close_date_rc, 0) as end_no_close_date_rc,
        coalesce(ends.n_no_close_date, 0) as n_end_no_close_date
    from bridges
    {%- for side in ['start', 'end'] %}
    left join edged as {{ side }}s
        on
            bridges.basis = {{ side }}s.basis
            and bridges.scope_type = {{ side }}s.scope_type
            and bridges.scope_key is not distinct from {{ side }}s.scope_key
            and bridges.measure = {{ side }}s.measure
            and bridges.window_no = {{ side }}s.window_no
            and bridges.ledger = {{ side }}s.ledger
            and {{ side }}s.reason = '{{ side }}'
    {%- endfor %}
    left join totals
        on
            bridges.basis = totals.basis
            and bridges.scope_type = totals.scope_type
            and bridges.scope_key is not distinct from totals.scope_key
            and bridges.measure = totals.measure
            and bridges.window_no = totals.window_no
            and bridges.ledger = totals.ledger
            and bridges.movement_view = totals.movement_view
),

sums as (
    {%- for side in ['start', 'end'] %}
    select
        basis,
        scope_type,
        scope_key,
        measure,
        window_no,
        ledger,
        movement_view,
        '{{ side }}' as reason,
        {{ side }}_rc as amount_rc,
        n_{{ side }} as n_events,
        cast(null as {{ money_type() }}) as slip_rc,
        cast(null as {{ money_type() }}) as transient_rc,
        {{ 'start_rc + moved_rc - end_rc' if side == 'end' else 'null' }} as residual_rc,
        {{ "case when ledger = 'bookings' then won_rc end" if side == 'end' else 'null' }} as won_rc,
        {{ 'due_rc' if side == 'end' else 'null' }} as due_rc,
        {{ 'slipped_rc' if side == 'end' else 'null' }} as slipped_rc,
        case when ledger = 'pipeline' then {{ side }}_no_close_date_rc end as no_close_date_rc,
        case when ledger = 'pipeline' then n_{{ side }}_no_close_date end as n_no_close_date
    from bridged
    union all
    {%- endfor %}
    select
        basis,
        scope_type,
        scope_key,
        measure,
        window_no,
        ledger,
        movement_view,
        reason,
        amount_rc,
        n_events,
        slip_rc,
        transient_rc,
        null as residual_rc,
        null as won_rc,
        null as due_rc,
        null as slipped_rc,
        null as no_close_date_rc,
        null as n_no_close_date
    from moved
),

final as (
    select
        concat_ws(
            '|', sums.basis, sums.scope_type, sums.scope_key, sums.measure, windows.period_key,
            windows.window_type, sums.ledger, sums.movement_view, sums.reason
        ) as pipeline_movement_key,
        sums.basis,
        sums.scope_type,
        coalesce(sums.scope_key, 'none') as scope_key,
        sums.measure,
        windows.period_key,
        windows.grain as period_grain,
        windows.window_type,
        sums.ledger,
        sums.movement_view,
        sums.reason,
        case when sums.reason in ('start', 'end') then sums.reason else 'movement' end as row_type,
        cast(sums.amount_rc as {{ money_type() }}) as amount_rc,
        cast(sums.n_events as bigint) as n_events,
        cast(sums.slip_rc as {{ money_type() }}) as slip_rc,
        cast(sums.transient_rc as {{ money_type() }}) as transient_rc,
        cast(sums.residual_rc as {{ money_type() }}) as residual_rc,
        cast(sums.won_rc as {{ money_type() }}) as won_rc,
        cast(sums.due_rc as {{ money_type() }}) as due_rc,
        cast(sums.slipped_rc as {{ money_type() }}) as slipped_rc,
        {{ ratio('sums.slipped_rc', 'sums.due_rc') }} as slippage_rate,
        cast(sums.no_close_date_rc as {{ money_type() }}) as no_close_date_rc,
        cast(sums.n_no_close_date as bigint) as n_no_close_date,
        windows.is_running,
        windows.first_date as window_first_date,
        windows.last_date as window_last_date,
        {{ as_of_date() }} as as_of_date
    from sums
    inner join windows on sums.window_no = windows.window_no
)

select * from final
