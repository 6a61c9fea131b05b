-- Grain: one row per Pipedrive deal, field and instant at which the field changed, and one for
-- what it held since creation.
--
-- Creation writes no row: the first old value of a field has held since then, and where the
-- changelog never speaks of a field, what the first version of the deal shows. Stage and
-- status make one stage: a deal that is won or lost stands in 'won' or 'lost'.

with deals as (
    select
        deal_key,
        min(created_at) as created_at,
        {% for column in ['source_stage_id', 'vendor_status', 'pipeline_id', 'deal_amount',
            'currency_code', 'owner_id', 'expected_close_date'] %}
        arg_min(cast({{ column }} as varchar), (observed_at, sync_id, position))
            as {{ column }},
        {% endfor %}
        arg_min(stage_changed_at, (observed_at, sync_id, position)) as stage_changed_at,
        min(observed_at) as seen_at,
        arg_min(raw_version_id, (observed_at, sync_id, position)) as raw_version_id
    from {{ ref('stg_pipedrive__deals') }}
    where has_content
    group by deal_key
),

-- Equal changes of one second are landed with a number of their own.
changes as (
    select
        change_key,
        deal_key,
        case field_key
            when 'pipeline' then 'pipeline_id'
            when 'user_id' then 'owner_id'
            else field_key
        end as field_key,
        arg_min(coalesce(old_value, ''), (observed_at, sync_id, position)) as old_value,
        arg_min(coalesce(new_value, ''), (observed_at, sync_id, position)) as new_value,
        min(happened_at) as happened_at,
        any_value(changed_by) as changed_by,
        any_value(
            case when is_bulk_update then 'bulk_update' else change_source end
        ) as change_source,
        min(observed_at) as seen_at,
        arg_min(raw_version_id, (observed_at, sync_id, position)) as raw_version_id
    from {{ ref('stg_pipedrive__deal_changelog') }}
    where
        has_content
        and field_key in (
            'stage_id', 'status', 'pipeline_id', 'pipeline', 'value', 'currency', 'owner_id',
            'user_id', 'expected_close_date'
        )
    group by change_key, deal_key, field_key
),

-- A deal whose stage never changed tells so itself, whether or not its changelog was read.
logged as (
    select deals.*
    from deals
    where
        deals.deal_key in (select changes.deal_key from changes)
        or (
            deals.vendor_status = 'open'
            and coalesce(deals.stage_changed_at, deals.created_at) <= deals.created_at
        )
),

-- Several changes of one field in one second form a chain: the one whose old value no other
-- of them leaves behind comes first.
placed as (
    select
        *,
        row_number() over (
            partition by deal_key, field_key
            order by happened_at, is_later, change_key
        ) as place
    from (
        select
            changes.*,
            coalesce(earlier.change_key is not null, false) as is_later
        from changes
        left join changes as earlier
            on
                changes.deal_key = earlier.deal_key
                and changes.field_key = earlier.field_key
                and changes.happened_at = earlier.happened_at
                and changes.change_key <> earlier.change_key
                and changes.old_value = earlier.new_value
                and changes.new_value <> earlier.old_value
        qualify row_number() over (partition by changes.change_key order by earlier.change_key) = 1
    ) as chained
),

firsts as (
    select
        deal_key,
        field_key,
        old_value
    from placed
    where place = 1
),

started as (
    {% for field_key, column in [
        ('stage_id', 'source_stage_id'),
        ('status', 'vendor_status'),
        ('pipeline_id', 'pipeline_id'),
        ('value', 'deal_amount'),
        ('currency', 'currency_code'),
        ('owner_id', 'owner_id'),
        ('expected_close_date', 'expected_close_date'),
    ] %}
    {% if not loop.first %}union all{% endif %}
    select
        logged.deal_key,
        '{{ field_key }}' as field_key,
        coalesce(firsts.old_value, logged.{{ column }}, '') as new_value,
        logged.created_at as happened_at,
        cast(null as varchar) as changed_by,
        cast(null as varchar) as change_source,
        cast(0 as bigint) as place,
        logged.seen_at,
        logged.raw_version_id
    from logged
    left join firsts
        on logged.deal_key = firsts.deal_key and firsts.field_key = '{{ field_key }}'
    {% endfor %}
),

events as (
    select * from started
    union all
    select
        placed.deal_key,
        placed.field_key,
        placed.new_value,
        -- A deal made by an import may bear changes older than itself.
        greatest(placed.happened_at, logged.created_at),
        placed.changed_by,
        placed.change_source,
        placed.place,
        placed.seen_at,
        placed.raw_version_id
    from placed
    inner join logged on placed.deal_key = logged.deal_key
),

-- One save may change stage and status: what held after it is what counts.
standing as (
    select
        *,
        last_value(case when field_key = 'stage_id' then new_value end ignore nulls) over before
            as stage_id,
        last_value(case when field_key = 'status' then new_value end ignore nulls) over before
            as status
    from events
    where field_key in ('stage_id', 'status')
    window before as (
        partition by deal_key order by happened_at, place > 0, field_key = 'status', place
        rows between unbounded preceding and current row
    )
),

stages as (
    select
        *,
        case when status in ('won', 'lost') then status else stage_id end as value
    from standing
    qualify
        row_number() over (
            partition by deal_key, happened_at, place > 0
            order by field_key = 'status' desc, place desc
        ) = 1
),

valued as (
    select
        deal_key,
        'stage' as field,
        value,
        happened_at,
        changed_by,
        change_source,
        row_number() over (partition by deal_key order by happened_at, place > 0) as place,
        seen_at,
        raw_version_id
    from stages

    union all

    select
        deal_key,
        case field_key
            when 'pipeline_id' then 'pipeline'
            when 'value' then 'amount'
            when 'currency' then 'currency_code'
            when 'owner_id' then 'owner'
            else field_key
        end,
        case field_key
            when 'value' then coalesce(cast({{ money_from_text('new_value') }} as varchar), '')
            when 'currency' then upper(new_value)
            when 'expected_close_date' then left(new_value, 10)
            else new_value
        end,
        happened_at,
        changed_by,
        change_source,
        place,
        seen_at,
        raw_version_id
    from events
    where field_key not in ('stage_id', 'status')
)

select
    deal_key,
    field,
    value,
    lag(value) over changes_of_field as old_value,
    happened_at,
    changed_by,
    change_source,
    'exact' as change_precision,
    place,
    0 as uncertainty_seconds,
    seen_at,
    raw_version_id
from valued
window changes_of_field as (partition by deal_key, field order by happened_at, place)
qualify value is distinct from lag(value) over changes_of_field
