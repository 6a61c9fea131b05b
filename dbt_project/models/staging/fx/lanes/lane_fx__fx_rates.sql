-- Grain: one row per landed version of a central bank's rate, or of a budget rate.
--
-- Published as units per euro: turned round once, here, in whole numbers. The rate at which a
-- currency became the euro holds for ever.

with rates as (
    select * from {{ ref('stg_fx__rates') }}
    union all
    select * from {{ ref('stg_fx__budget_rates') }}
)

select
    fx_rate_key,
    source_system,
    connection,
    raw_version_id,
    rate_type,
    case rate_type when 'budget' then connection else provider end as rate_source,
    quote_currency_code as currency_code,
    base_currency_code as pivot_currency_code,
    {{ decimal_ratio('1', 'rate', 8, 20) }} as rate_to_pivot,
    1 as preference,
    is_irrevocable as is_open_ended,
    is_deleted,
    rate_date as effective_date,
    observed_at,
    sync_id,
    position
from rates
