-- Grain: one row per version of a rate of the HubSpot account.

select
    exchange_rate_key as fx_rate_key,
    source_system,
    connection,
    raw_version_id,
    'spot' as rate_type,
    'hubspot exchange rates' as rate_source,
    from_currency_code as currency_code,
    to_currency_code as pivot_currency_code,
    cast(rate as decimal(38, 15)) as rate_to_pivot,
    2 as preference,
    -- The account's table: a rate holds until the next one is entered.
    true as is_open_ended,
    is_deleted,
    {{ company_date('effective_at') }} as effective_date,
    observed_at,
    sync_id,
    position
from {{ ref('stg_hubspot__exchange_rates') }}
