-- Grain: one row per lead of a CRM or an export, its newest content and its newest fate.

with typed_nothing as (
    select
        cast(null as varchar) as lead_key,
        cast(null as varchar) as lead_id,
        cast(null as varchar) as name,
        cast(null as varchar) as email,
        cast(null as varchar) as company_name,
        cast(null as varchar[]) as contact_keys,
        cast(null as varchar[]) as company_keys,
        cast(null as varchar[]) as deal_keys,
        cast(null as varchar) as owner_id,
        cast(null as varchar) as lead_stage,
        cast(null as varchar) as source_channel,
        cast(null as varchar) as disqualification_reason,
        cast(null as boolean) as is_converted,
        cast(null as boolean) as is_disqualified,
        cast(null as {{ instant_type() }}) as created_at,
        cast(null as {{ instant_type() }}) as converted_at,
        cast(null as {{ instant_type() }}) as updated_at,
        cast(null as boolean) as has_content,
        cast(null as boolean) as is_deleted,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position,
        cast(null as varchar) as raw_version_id
    where false
),

versions as (
    select * from typed_nothing
    {% if has_source('hubspot') %}
    union all
    select
        lead_key,
        lead_id,
        coalesce(name, nullif(concat_ws(' ', first_name, last_name), '')) as name,
        email,
        company_name,
        contact_keys,
        company_keys,
        deal_keys,
        owner_id,
        lead_stage_id as lead_stage,
        source_channel,
        disqualification_reason,
        -- A qualified lead without a deal is still a lead.
        converted_at is not null as is_converted,
        disqualification_reason is not null
        or coalesce(
            lead_stage_id = 'unqualified-stage-id'
            or regexp_matches(lead_stage_id, 'unqualified|disqualified', 'i'),
            false
        ) as is_disqualified,
        coalesce(created_at, record_created_at) as created_at,
        converted_at,
        updated_at,
        change in ('upsert', 'archived') and record_created_at is not null as has_content,
        is_deleted,
        'hubspot' as source_system,
        connection,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_hubspot__leads') }}
    where change != 'access_lost'
    {% endif %}
    {% if has_source('files') %}
    union all
    select
        lead_key,
        lead_id,
        name,
        email,
        company_name,
        list_filter([concat(connection, ':') || converted_contact_id], lambda one: one is not null),
        list_filter([concat(connection, ':') || converted_company_id], lambda one: one is not null),
        list_filter([concat(connection, ':') || converted_deal_id], lambda one: one is not null),
        coalesce(owner_id, owner_email),
        status,
        source_channel,
        cast(null as varchar),
        converted_at is not null or coalesce(status in ('converted', 'won'), false),
        coalesce(
            status in ('disqualified', 'unqualified', 'lost', 'junk', 'dead', 'recycled'), false
        ),
        created_at,
        converted_at,
        updated_at,
        lead_id is not null,
        is_deleted,
        'files',
        connection,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_files__leads') }}
    where change != 'access_lost'
    {% endif %}
),

content as (
    select * from versions
    where has_content
    qualify row_number() over (
        partition by lead_key
        order by observed_at desc, sync_id desc, position desc
    ) = 1
),

fate as (
    select
        lead_key,
        arg_max(is_deleted, (observed_at, sync_id, position)) as is_deleted
    from versions
    group by lead_key
),

final as (
    select
        content.* exclude (is_deleted, has_content),
        fate.is_deleted
    from content
    inner join fate
        on content.lead_key = fate.lead_key
)

select * from final
