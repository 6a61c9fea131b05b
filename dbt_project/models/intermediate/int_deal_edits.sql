-- Grain: one row per deal, field and version that changed the field.
--
-- depends_on: {{ ref('int_deal_inputs') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals() }}',
    in_parts_of='fct_deal_version',
    in_parts_where='{{ is_built_now(changed_deals()) }}',
) }}

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

with versions as (
    select * from {{ ref('fct_deal_version') }}
    {{ only_changed_deals() }}
),

-- Held, of one part: read three times, it would be looked for in all that ever happened.
events as materialized (
    select *
    from (select * from {{ ref('int_deal_field_events') }} {{ only_changed_deals() }}) as happened
    where changed_by is not null or change_source is not null
),

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

-- Few histories tell two edits of a field at one instant: only theirs are put in order.
told_twice as (
    select distinct deal_key
    from (
        select deal_key
        from events
        group by deal_key, field, happened_at
        having count(*) > 1
    )
),

told as (
    select
        deal_key,
        field,
        happened_at,
        changed_by,
        change_source,
        change_precision
    from events
    where deal_key not in (select told_twice.deal_key from told_twice)

    union all

    select
        deal_key,
        field,
        happened_at,
        arg_max(changed_by, place) as changed_by,
        arg_max(change_source, place) as change_source,
        max(change_precision) as change_precision
    from events
    where deal_key in (select told_twice.deal_key from told_twice)
    group by deal_key, field, happened_at
),

final as (
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
)

select * from final
