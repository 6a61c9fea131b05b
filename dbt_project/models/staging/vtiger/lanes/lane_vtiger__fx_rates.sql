-- Grain: one row per version of a rate of the Vtiger installation.
--
-- Vtiger says how many units of a currency one unit of the base currency buys, today; the rate
-- holds from the day on which we saw it until we see another.

with currencies as (
    select * from {{ ref('stg_vtiger__currencies') }}
),

base_currencies as (
    select
        connection,
        arg_min(currency_code, (default_mark is distinct from '-11', currency_id))
            as currency_code
    from currencies
    where conversion_rate = 1 and change = 'upsert'
    group by connection
)

select
    concat(currencies.currency_key, ':', {{ company_date('currencies.observed_at') }})
        as fx_rate_key,
    'vtiger' as source_system,
    currencies.connection,
    currencies.raw_version_id,
    'spot' as rate_type,
    'vtiger currencies' as rate_source,
    currencies.currency_code,
    base_currencies.currency_code as pivot_currency_code,
    {{ decimal_ratio('1', 'currencies.conversion_rate', 15, 20) }} as rate_to_pivot,
    3 as preference,
    true as is_open_ended,
    currencies.is_deleted,
    {{ company_date('currencies.observed_at') }} as effective_date,
    currencies.observed_at,
    currencies.sync_id,
    currencies.position
from currencies
inner join base_currencies on currencies.connection = base_currencies.connection
where
    currencies.currency_code <> base_currencies.currency_code
    and currencies.change = 'upsert'
