-- Grain: one row per deal, field and change; same-day edits of a field collapsed.

with versions as (
    select * from {{ ref('fct_deal_version') }}
),

events as (
    select * from {{ ref('int_deal_field_events') }}
),

stages as (
    select * from {{ ref('dim_stage') }}
),

-- A day finds its period by equality: a range joined to millions of changes would be sorted.
periods as (
    select
        cast(series.day as date) as date,
        periods.period_key,
        periods.start_date,
        periods.end_date
    from {{ ref('stg_config__fiscal_periods') }} as periods
    cross join unnest(
        generate_series(
            cast(periods.start_date as timestamp),
            cast(periods.end_date as timestamp),
            interval 1 day
        )
    ) as series (day)
    where periods.grain = '{{ var("push_grain") }}'
),

{% set fields = [
    ('name', 'name', 'name'),
    ('owner', 'owner_user_key', 'owner'),
    ('pipeline', 'pipeline_key', 'pipeline'),
    ('stage', 'stage_key', 'stage'),
    ('amount', 'amount_amt', 'amount'),
    ('currency_code', 'currency_code', 'currency_code'),
    ('expected_close_date', 'expected_close_date', 'expected_close_date'),
    ('probability', 'probability', 'probability'),
    ('forecast_category', 'forecast_category', 'forecast_category'),
    ('loss_reason', 'loss_reason', 'loss_reason'),
    ('source_channel', 'source_channel', 'source_channel'),
    ('is_deleted', 'is_deleted', 'is_deleted'),
] %}

{%- set version_date = company_date('valid_from') %}

before as (
    select
        deal_key,
        survivor_deal_key,
        valid_from as changed_at,
        {{ version_date }} as changed_date,
        seen_from as seen_at,
        change_precision,
        currency_code,
        status,
        is_deleted,
        source_system,
        connection,
        raw_version_id,
        version_no,
        {% for field, column, event in fields if column not in ('currency_code', 'is_deleted') %}
        {{ column }},
        {% endfor %}
        {% for field, column, event in fields %}
        lag({{ column }}) over w as old_{{ column }},
        {% endfor %}
        lag(status) over w as old_status,
        -- Whether the day may hold further edits, which the first of them would swallow.
        {% if var('collapse_same_day') %}
        coalesce(lag({{ version_date }}) over w = {{ version_date }}, false)
        or coalesce(lead({{ version_date }}) over w = {{ version_date }}, false)
        {% else %}
        false
        {% endif %} as is_shared_day
    from versions
    window w as (partition by deal_key order by valid_from)
),

-- One row per field that the version changed.
moved as (
    select
        deal_key,
        survivor_deal_key,
        change.field,
        change.old_value,
        change.new_value,
        changed_at,
        changed_date,
        seen_at,
        change_precision,
        currency_code,
        old_status,
        status,
        is_deleted,
        is_shared_day,
        source_system,
        connection,
        raw_version_id
    from (
        select
            * exclude (
                {% for field, column, event in fields if column not in ('currency_code', 'is_deleted') %}
                {{ column }},
                {% endfor %}
                {% for field, column, event in fields %}
                old_{{ column }}{{ ',' if not loop.last }}
                {% endfor %}
            ),
            unnest(list_filter([
                {% for field, column, event in fields %}
                case when {{ column }} is distinct from old_{{ column }} then {
                    'field': '{{ field }}',
                    'old_value': cast(old_{{ column }} as varchar),
                    'new_value': cast({{ column }} as varchar)
                } end{{ ',' if not loop.last }}
                {% endfor %}
            ], lambda one: one is not null)) as change
        from before
        where version_no > 1
    )
),

told as (
    select
        deal_key,
        field,
        happened_at,
        arg_max(changed_by, place) as changed_by,
        arg_max(change_source, place) as change_source,
        max(change_precision) as change_precision
    from events
    where changed_by is not null or change_source is not null
    group by deal_key, field, happened_at
),

edits as (
    select
        moved.* exclude (change_precision),
        told.changed_by,
        told.change_source,
        coalesce(told.change_precision, moved.change_precision) as change_precision
    from moved
    left join told
        on
            moved.deal_key = told.deal_key
            and moved.field = told.field
            and moved.changed_at = told.happened_at
),

-- Windows of bulk_edit_seconds laid twice, the second shifted by half: one of them holds every
-- burst of up to half a window whole. Only windows with enough edits need a second look.
busy as (
    {% for shift in [0, 0.5] %}
    {% if not loop.first %}union all{% endif %}
    select
        connection,
        field,
        coalesce(changed_by, change_source) as editor,
        floor(epoch(changed_at) / {{ var('bulk_edit_seconds') }} + {{ shift }}) as window_no,
        {{ shift }} as shift
    from edits
    where coalesce(changed_by, change_source) is not null and change_precision = 'exact'
    group by connection, field, editor, window_no
    having count(*) > {{ var('bulk_edit_n') }}
    {% endfor %}
),

bursts as (
    select
        busy.connection,
        busy.field,
        busy.editor,
        busy.window_no,
        busy.shift
    from edits
    inner join busy
        on
            edits.connection = busy.connection
            and edits.field = busy.field
            and coalesce(edits.changed_by, edits.change_source) = busy.editor
            and floor(epoch(edits.changed_at) / {{ var('bulk_edit_seconds') }} + busy.shift)
            = busy.window_no
    where edits.change_precision = 'exact'
    group by busy.connection, busy.field, busy.editor, busy.window_no, busy.shift
    having count(distinct edits.deal_key) > {{ var('bulk_edit_n') }}
),

marked as (
    select
        edits.*,
        exists (
            select 1 from bursts
            where
                bursts.connection = edits.connection
                and bursts.field = edits.field
                and bursts.editor = coalesce(edits.changed_by, edits.change_source)
                and bursts.window_no = floor(
                    epoch(edits.changed_at) / {{ var('bulk_edit_seconds') }} + bursts.shift
                )
        ) as is_bulk_edit
    from edits
),

collapsed as (
    select
        deal_key,
        field,
        any_value(survivor_deal_key) as survivor_deal_key,
        any_value(changed_date) as changed_date,
        -- A leading '=' keeps an emptied value apart from "no row" inside arg_min.
        substr(arg_min(concat('=', old_value), changed_at), 2) as old_text,
        substr(arg_max(concat('=', new_value), changed_at), 2) as new_text,
        arg_min(old_value is null, changed_at) as was_empty,
        arg_max(new_value is null, changed_at) as is_empty,
        arg_max(changed_by, changed_at) as changed_by,
        arg_max(change_source, changed_at) as change_source,
        arg_max(change_precision, changed_at) as change_precision,
        arg_max(currency_code, changed_at) as currency_code,
        arg_max(raw_version_id, changed_at) as raw_version_id,
        any_value(connection) as connection,
        any_value(source_system) as source_system,
        arg_max(is_deleted, changed_at) as is_deleted,
        bool_and(is_bulk_edit) as is_bulk_edit,
        arg_min(old_status, changed_at) as old_status,
        arg_max(status, changed_at) as status,
        max(changed_at) as changed_at,
        max(seen_at) as seen_at,
        count(*) as n_edits
    from marked
    where is_shared_day
    group by deal_key, field, marked.changed_date

    union all

    -- Nearly all: the only version of its day.
    select
        deal_key,
        field,
        survivor_deal_key,
        changed_date,
        coalesce(old_value, '') as old_text,
        coalesce(new_value, '') as new_text,
        old_value is null as was_empty,
        new_value is null as is_empty,
        changed_by,
        change_source,
        change_precision,
        currency_code,
        raw_version_id,
        connection,
        source_system,
        is_deleted,
        is_bulk_edit,
        old_status,
        status,
        changed_at,
        seen_at,
        1 as n_edits
    from marked
    where not is_shared_day
),

valued as (
    select
        *,
        case when not was_empty then old_text end as old_value,
        case when not is_empty then new_text end as new_value
    from collapsed
    where
        was_empty != is_empty
        or old_text is distinct from new_text
),

typed as (
    select
        *,
        case when field = 'amount' then cast(old_value as {{ money_type() }}) end
            as old_amount_amt,
        case when field = 'amount' then cast(new_value as {{ money_type() }}) end
            as new_amount_amt,
        case when field = 'expected_close_date' then cast(old_value as date) end as old_date,
        case when field = 'expected_close_date' then cast(new_value as date) end as new_date
    from valued
),

final as (
    select
        concat(typed.deal_key, ':', typed.field, ':', epoch_us(typed.changed_at))
            as deal_change_key,
        typed.deal_key,
        typed.survivor_deal_key,
        typed.field,
        typed.old_value,
        typed.new_value,
        coalesce(
            editors.user_key, concat(typed.connection, ':') || typed.changed_by
        ) as changed_by_user_key,
        typed.change_source,
        typed.change_precision,
        typed.currency_code,
        typed.old_amount_amt,
        typed.new_amount_amt,
        case when typed.field = 'amount' then cast(
            coalesce(typed.new_amount_amt, 0) - coalesce(typed.old_amount_amt, 0)
            as {{ money_type() }}
        ) end as amount_delta_amt,
        cast({{ days_between('typed.old_date', 'typed.new_date') }} as bigint) as days_moved,
        case
            when typed.field = 'stage'
                and old_stages.pipeline_key = new_stages.pipeline_key
                and old_stages.stage_type in ('open', 'won')
                and new_stages.stage_type in ('open', 'won')
                then new_stages.stage_order - old_stages.stage_order
        end as steps_moved,
        typed.n_edits,
        coalesce(old_periods.period_key != new_periods.period_key, false)
            as crosses_period_boundary,
        coalesce(
            new_periods.start_date > old_periods.end_date
            and typed.old_status = 'open' and typed.status = 'open',
            false
        ) as is_push,
        typed.is_bulk_edit,
        not typed.is_bulk_edit
        and typed.field != 'probability'
        and coalesce(
            typed.change_source in ('CRM_UI', 'MOBILE_IOS', 'MOBILE_ANDROID', 'EMAIL', 'MEETINGS'),
            typed.change_precision = 'exact' and typed.changed_by is not null
        ) as is_person_edit,
        typed.old_status = 'won' as is_post_close,
        typed.old_date,
        typed.new_date,
        typed.changed_date,
        typed.changed_at,
        typed.seen_at,
        typed.is_deleted,
        typed.source_system,
        typed.connection,
        typed.raw_version_id
    from typed
    left join {{ ref('int_editors') }} as editors
        on
            typed.connection = editors.connection
            and typed.changed_by = editors.editor_id
    left join stages as old_stages
        on
            typed.field = 'stage'
            and typed.old_value = old_stages.stage_key
            and (typed.changed_at >= old_stages.valid_from or old_stages.is_first_version)
            and (typed.changed_at < old_stages.valid_to or old_stages.valid_to is null)
    left join stages as new_stages
        on
            typed.field = 'stage'
            and typed.new_value = new_stages.stage_key
            and (typed.changed_at >= new_stages.valid_from or new_stages.is_first_version)
            and (typed.changed_at < new_stages.valid_to or new_stages.valid_to is null)
    left join periods as old_periods
        on typed.old_date = old_periods.date
    left join periods as new_periods
        on typed.new_date = new_periods.date
)

select * from final
