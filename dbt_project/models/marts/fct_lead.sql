-- Grain: one row per lead, newest state, from the CRM and from e-mail (an inbound sender of an unknown outside domain is a candidate).

select
    cast(null as varchar) as lead_key,
    cast(null as varchar) as lead_id,
    cast(null as varchar) as name,
    cast(null as varchar) as email,
    cast(null as varchar) as company_name,
    cast(null as varchar) as company_key,
    cast(null as varchar) as contact_key,
    cast(null as varchar) as owner_user_key,
    cast(null as varchar) as status,
    cast(null as varchar) as lead_stage,
    cast(null as varchar) as source_channel,
    cast(null as varchar) as disqualification_reason,
    cast(null as varchar) as deal_key,
    cast(null as varchar) as origin,
    cast(null as boolean) as is_converted,
    cast(null as date) as created_date,
    cast(null as date) as converted_date,
    cast(null as timestamptz) as created_at,
    cast(null as timestamptz) as converted_at,
    cast(null as timestamptz) as updated_at,
    cast(null as boolean) as is_deleted,
    cast(null as varchar) as source_system,
    cast(null as varchar) as connection,
    cast(null as varchar) as raw_version_id
where false
