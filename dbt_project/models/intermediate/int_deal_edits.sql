-- Grain: one row per deal, field and version that changed the field.
--
-- depends_on: {{ ref('int_deal_inputs') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals() }}',
) }}

{% set fields = [
    ('name', 'name'),
    ('owner', 'owner_user_key'),
    ('pipeline', 'pipeline_key'),
    ('stage', 'stage_key'),
    ('amount', 'amount_amt'),
    ('currency_code', 'currency_code'),
    ('expected_close_date', 'expected_close_date'),
    ('probability', 'probability'),
    ('forecast_category', 'forecast_category'),
    ('loss_reason', 'loss_reason'),
    ('source_channel', 'source_channel'),
    ('is_deleted', 'is_deleted'),
] %}

with versions as (
    select * from {{ ref('fct_deal_version') }}
    {{ only_changed_deals() }}
),

events as (
    select *
    from (select * from {{ ref('int_deal_field_events') }} {{ only_changed_deals() }}) as kept
    where changed_by is not null or change_source is not null
),

-- A deal's versions are counted without a gap: the one before is found by a join, which costs
-- less than to sort all of them with all they hold.
moved as (
    select
        versions.deal_key,
        versions.survivor_deal_key,
        versions.valid_from as changed_at,
        {{ company_date('versions.valid_from') }} as changed_date,
        {{ company_date('versions.valid_to') }} as next_changed_date,
        {{ company_date('earlier.valid_from') }} as last_changed_date,
        versions.seen_from as seen_at,
        versions.change_precision,
        earlier.status as old_status,
        versions.status,
        {% for field, column in fields %}
        versions.{{ column }},
        earlier.{{ column }} as old_{{ column }},
        {% endfor %}
        versions.source_system,
        versions.connection,
        versions.raw_version_id
    from versions
    inner join versions as earlier
        on
            versions.deal_key = earlier.deal_key
            and versions.version_no = earlier.version_no + 1
),

-- One row per field that the version changed.
changed as (
    {% for field, column in fields %}
    {% if not loop.first %}union all{% endif %}
    select
        deal_key,
        survivor_deal_key,
        '{{ field }}' as field,
        cast(old_{{ column }} as varchar) as old_value,
        cast({{ column }} as varchar) as new_value,
        changed_at,
        changed_date,
        -- Whether the day may hold further edits, which the first of them would swallow.
        {% if var('collapse_same_day') %}
        changed_date = last_changed_date or coalesce(changed_date = next_changed_date, false)
        {% else %}
        false
        {% endif %} as is_shared_day,
        seen_at,
        change_precision,
        currency_code,
        old_status,
        status,
        is_deleted,
        source_system,
        connection,
        raw_version_id
    from moved
    where {{ column }} is distinct from old_{{ column }}
    {% endfor %}
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
        changed.* exclude (change_precision),
        told.changed_by,
        told.change_source,
        coalesce(told.change_precision, changed.change_precision) as change_precision
    from changed
    left join told
        on
            changed.deal_key = told.deal_key
            and changed.field = told.field
            and changed.changed_at = told.happened_at
)

select * from final
