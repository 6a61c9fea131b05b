-- Grain: one row per deal, user, credit type and interval.

select
    cast(null as varchar) as deal_credit_key,
    cast(null as varchar) as deal_key,
    cast(null as varchar) as survivor_deal_key,
    cast(null as varchar) as user_key,
    cast(null as varchar) as credit_type,
    cast(null as decimal(9, 6)) as share,
    cast(null as boolean) as is_default,
    cast(null as boolean) as is_current,
    cast(null as timestamptz) as valid_from,
    cast(null as timestamptz) as valid_to,
    cast(null as boolean) as is_deleted,
    cast(null as varchar) as source_system,
    cast(null as varchar) as connection,
    cast(null as varchar) as raw_version_id
where false
