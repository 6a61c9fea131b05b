-- Grain: one row per Odoo opportunity and instant at which its stage changed.
--
-- Two tracked fields make a stage: stage_id, and active, because a lost deal is archived where
-- it lies. Creation writes no tracking row: the first old value has held since then.

with field_names as (
    select
        connection,
        field_id,
        arg_max(field_name, (observed_at, sync_id, position)) as field_name
    from {{ ref('stg_odoo__tracked_fields') }}
    where has_content
    group by connection, field_id
),

messages as (
    select
        connection,
        message_id,
        arg_max(res_id, (observed_at, sync_id, position)) as deal_id,
        arg_max(happened_at, (observed_at, sync_id, position)) as happened_at,
        arg_max(author_id, (observed_at, sync_id, position)) as author_id
    from {{ ref('stg_odoo__messages') }}
    where has_content and model_name = 'crm.lead'
    group by connection, message_id
),

authors as (
    select
        connection,
        partner_id,
        arg_max(user_id, (observed_at, sync_id, position)) as user_id
    from {{ ref('stg_odoo__users') }}
    where has_content and partner_id is not null
    group by connection, partner_id
),

-- What a deleted deal took along has been seen before, and stays told.
changes as (
    select
        tracking_key,
        connection,
        cast(tracking_id as bigint) as place,
        arg_min(coalesce(field_ref, field_ref_before_17), (observed_at, sync_id, position))
            as field_id,
        arg_min(old_value_integer, (observed_at, sync_id, position)) as old_value,
        arg_min(new_value_integer, (observed_at, sync_id, position)) as new_value,
        arg_min(message_id, (observed_at, sync_id, position)) as message_id,
        min(observed_at) as seen_at,
        arg_min(raw_version_id, (observed_at, sync_id, position)) as raw_version_id
    from {{ ref('stg_odoo__tracking_values') }}
    where has_content
    group by tracking_key, connection, tracking_id
),

told as (
    select
        concat(changes.connection, ':', messages.deal_id) as deal_key,
        changes.connection,
        field_names.field_name,
        changes.old_value,
        changes.new_value,
        messages.happened_at,
        authors.user_id as changed_by,
        changes.place,
        changes.seen_at,
        changes.raw_version_id
    from changes
    inner join field_names
        on
            changes.connection = field_names.connection
            and changes.field_id = field_names.field_id
    inner join messages
        on
            changes.connection = messages.connection
            and changes.message_id = messages.message_id
    left join authors
        on
            messages.connection = authors.connection
            and messages.author_id = authors.partner_id
    where field_names.field_name in ('stage_id', 'active')
),

newest as (
    select
        deal_key,
        arg_max(source_stage_id, (observed_at, sync_id, position)) as stage_id,
        min(created_at) as created_at
    from {{ ref('stg_odoo__deals') }}
    where has_content
    group by deal_key
),

first_stages as (
    select
        deal_key,
        arg_min(old_value, (happened_at, place)) as stage_id
    from told
    where field_name = 'stage_id'
    group by deal_key
),

started as (
    select
        told.deal_key,
        told.connection,
        coalesce(
            cast(nullif(first_stages.stage_id, 0) as varchar), newest.stage_id
        ) as stage_id,
        least(newest.created_at, min(told.happened_at)) as happened_at,
        min(told.seen_at) as seen_at,
        arg_min(told.raw_version_id, (told.happened_at, told.place)) as raw_version_id
    from told
    inner join newest on told.deal_key = newest.deal_key
    left join first_stages on told.deal_key = first_stages.deal_key
    group by
        told.deal_key, told.connection, first_stages.stage_id, newest.stage_id, newest.created_at
),

states as (
    select
        deal_key,
        connection,
        stage_id as new_stage_id,
        true as new_active,
        happened_at,
        cast(null as varchar) as changed_by,
        cast(-1 as bigint) as place,
        seen_at,
        raw_version_id
    from started

    union all

    select
        told.deal_key,
        told.connection,
        case
            when told.field_name = 'stage_id'
                then coalesce(cast(nullif(told.new_value, 0) as varchar), '')
        end,
        case when told.field_name = 'active' then told.new_value <> 0 end,
        told.happened_at,
        told.changed_by,
        told.place,
        told.seen_at,
        told.raw_version_id
    from told
    inner join started on told.deal_key = started.deal_key
),

carried as (
    select
        *,
        last_value(new_stage_id ignore nulls) over before as stage_id,
        last_value(new_active ignore nulls) over before as is_active
    from states
    window before as (
        partition by deal_key order by happened_at, place
        rows between unbounded preceding and current row
    )
),

won_stages as (
    select distinct connection, stage_id
    from {{ ref('stg_odoo__stages') }}
    where is_won
),

valued as (
    select
        carried.*,
        case
            when not carried.is_active and won_stages.stage_id is null then 'lost'
            else carried.stage_id
        end as value
    from carried
    left join won_stages
        on
            carried.connection = won_stages.connection
            and carried.stage_id = won_stages.stage_id
),

-- One save may change both fields: what held after it is what counts.
settled as (
    select * from valued
    qualify row_number() over (
        partition by deal_key, happened_at, (place < 0) order by place desc
    ) = 1
)

select
    deal_key,
    'stage' as field,
    value,
    lag(value) over (partition by deal_key order by happened_at, place) as old_value,
    happened_at,
    changed_by,
    'tracking' as change_source,
    'exact' as change_precision,
    place,
    0 as uncertainty_seconds,
    seen_at,
    raw_version_id
from settled
qualify
    value is distinct from lag(value) over (partition by deal_key order by happened_at, place)
