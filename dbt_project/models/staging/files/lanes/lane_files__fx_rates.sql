-- Grain: one row per version of a rate of the user's own table.

select
    fx_rate_key,
    source_system,
    connection,
    raw_version_id,
    case when rate_type = 'budget' then 'budget' else 'spot' end as rate_type,
    rate_source,
    currency_code,
    case
        when rate_to_rc is not null then '{{ var("reporting_currency") }}'
        else base_currency_code
    end as pivot_currency_code,
    case
        when rate_to_rc is not null then cast(rate_to_rc as decimal(38, 20))
        -- Published as units per 1 base unit: turned round once, here.
        else {{ decimal_ratio('1', 'rate', 12, 20) }}
    end as rate_to_pivot,
    0 as preference,
    false as is_open_ended,
    is_deleted,
    rate_date as effective_date,
    observed_at,
    sync_id,
    position
from {{ ref('stg_files__fx_rates') }}
