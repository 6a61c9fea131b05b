-- Grain: one row per quote, newest state.

select
    cast(null as varchar) as quote_key,
    cast(null as varchar) as quote_id,
    cast(null as varchar) as quote_number,
    cast(null as varchar) as name,
    cast(null as varchar) as deal_key,
    cast(null as varchar) as company_key,
    cast(null as varchar) as owner_user_key,
    cast(null as varchar) as status,
    cast(null as varchar) as vendor_status,
    cast(null as varchar) as currency_code,
    cast(null as decimal(18, 4)) as net_amt,
    cast(null as decimal(18, 4)) as tax_amt,
    cast(null as decimal(18, 4)) as gross_amt,
    cast(null as bigint) as n_lines,
    cast(null as boolean) as is_currency_assumed,
    cast(null as boolean) as is_expired,
    cast(null as date) as quote_date,
    cast(null as date) as valid_until,
    cast(null as date) as accepted_date,
    cast(null as timestamptz) as created_at,
    cast(null as timestamptz) as updated_at,
    cast(null as boolean) as is_deleted,
    cast(null as varchar) as source_system,
    cast(null as varchar) as connection,
    cast(null as varchar) as raw_version_id
where false
