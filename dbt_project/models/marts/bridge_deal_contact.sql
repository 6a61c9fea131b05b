-- Grain: one row per deal, contact, role and interval.

select
    cast(null as varchar) as deal_contact_key,
    cast(null as varchar) as deal_key,
    cast(null as varchar) as survivor_deal_key,
    cast(null as varchar) as contact_key,
    cast(null as varchar) as source_contact_key,
    cast(null as varchar) as role,
    cast(null as boolean) as is_primary,
    cast(null as boolean) as is_current,
    cast(null as timestamptz) as valid_from,
    cast(null as timestamptz) as valid_to,
    cast(null as boolean) as is_deleted,
    cast(null as varchar) as source_system,
    cast(null as varchar) as connection,
    cast(null as varchar) as raw_version_id
where false
