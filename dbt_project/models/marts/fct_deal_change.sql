-- Grain: one row per deal, field and change; same-day edits of a field collapsed.
--
-- depends_on: {{ ref('int_deals_retold') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals("int_deals_retold") }}',
    in_parts_of='int_deal_edits',
    in_parts_where='{{ is_built_now(changed_deals("int_deals_retold")) }}',
    in_parts_rows=0.25,
) }}

with edits as (
    select * from {{ ref('int_deal_edits') }}
    {{ only_changed_deals('int_deals_retold') }}
),

bulk_edits as (
    select * from {{ ref('int_bulk_edits') }}
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

-- Read twice and never held: it is as long and wide as the edits.
marked as not materialized (
    select
        edits.*,
        bulk_edits.deal_key is not null as is_bulk_edit
    from edits
    left join bulk_edits
        on
            edits.deal_key = bulk_edits.deal_key
            and edits.field = bulk_edits.field
            and edits.changed_at = bulk_edits.changed_at
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
        concat(typed.deal_key, ':', typed.field, ':', {{ microseconds_of('typed.changed_at') }})
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
