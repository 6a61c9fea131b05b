-- Grain: one row per landed version of a lead of a CRM or file.

with typed_nothing as (
    select
        cast(null as varchar) as lead_key,
        cast(null as varchar) as lead_id,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as name,
        cast(null as varchar) as email,
        cast(null as varchar) as company_name,
        cast(null as varchar) as source_company_key,
        cast(null as varchar) as source_contact_key,
        cast(null as varchar) as source_deal_key,
        cast(null as varchar) as owner_id,
        cast(null as varchar) as lead_stage,
        cast(null as varchar) as source_channel,
        cast(null as varchar) as disqualification_reason,
        cast(null as boolean) as is_converted,
        cast(null as boolean) as is_disqualified,
        cast(null as {{ instant_type() }}) as created_at,
        cast(null as {{ instant_type() }}) as converted_at,
        cast(null as {{ instant_type() }}) as updated_at,
        cast(null as varchar) as change,
        cast(null as boolean) as is_deleted,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position,
        cast(null as varchar) as raw_version_id
    where false
)

select * from typed_nothing

{% if has_source('hubspot') %}
union all
select
    lead_key, lead_id, 'hubspot', connection,
    coalesce(name, nullif(trim(concat_ws(' ', first_name, last_name)), '')), email,
    company_name, company_keys[1], contact_keys[1], deal_keys[1], owner_id, lead_stage_id,
    source_channel, disqualification_reason,
    converted_at is not null or len(deal_keys) > 0 or change = 'converted',
    coalesce(
        disqualification_reason is not null
        or lead_stage_id like 'unqualified%'
        or lead_stage_id like 'disqualified%',
        false
    ),
    coalesce(created_at, record_created_at), converted_at, updated_at,
    change, is_deleted, observed_at, sync_id, position, raw_version_id
from {{ ref('stg_hubspot__leads') }}
{% endif %}

{% if has_source('files') %}
union all
select
    lead_key, coalesce(lead_id, split_part(raw_version_id, ':', 3)), 'files', connection, name,
    email, company_name,
    concat(connection, ':') || converted_company_id,
    concat(connection, ':') || converted_contact_id,
    concat(connection, ':') || converted_deal_id,
    coalesce(owner_id, owner_email), status, source_channel, null,
    converted_at is not null or converted_deal_id is not null
    or coalesce(status = 'converted', false) or change = 'converted',
    coalesce(status in ('disqualified', 'unqualified', 'lost', 'junk'), false),
    created_at, converted_at, updated_at,
    change, is_deleted, observed_at, sync_id, position, raw_version_id
from {{ ref('stg_files__leads') }}
{% endif %}
