-- Grain: one row per version of a day's rate: home units for one foreign unit, as QuickBooks says it.

select
    rate_key as fx_rate_key,
    source_system,
    connection,
    raw_version_id,
    'spot' as rate_type,
    'quickbooks exchange rates' as rate_source,
    currency_code,
    home_currency_code as pivot_currency_code,
    cast(rate as decimal(38, 20)) as rate_to_pivot,
    8 as preference,
    false as is_open_ended,
    is_deleted,
    effective_date,
    observed_at,
    sync_id,
    position
from {{ ref('stg_quickbooks__exchange_rates') }}
where has_content and rate > 0 and currency_code <> home_currency_code
