-- Grain: one row per activity: call, meeting, task, note or logged e-mail of the CRM.

select
    cast(null as varchar) as activity_key,
    cast(null as varchar) as activity_id,
    cast(null as varchar) as type,
    cast(null as varchar) as direction,
    cast(null as varchar) as subject,
    cast(null as varchar) as outcome,
    cast(null as varchar) as owner_user_key,
    cast(null as varchar) as deal_key,
    cast(null as varchar[]) as deal_keys,
    cast(null as varchar) as company_key,
    cast(null as varchar[]) as contact_keys,
    cast(null as varchar) as message_id,
    cast(null as bigint) as participants_n,
    cast(null as bigint) as duration_seconds,
    cast(null as boolean) as done,
    cast(null as boolean) as is_two_way,
    cast(null as date) as occurred_date,
    cast(null as date) as due_date,
    cast(null as timestamptz) as occurred_at,
    cast(null as timestamptz) as due_at,
    cast(null as timestamptz) as created_at,
    cast(null as boolean) as is_deleted,
    cast(null as varchar) as source_system,
    cast(null as varchar) as connection,
    cast(null as varchar) as raw_version_id
where false
