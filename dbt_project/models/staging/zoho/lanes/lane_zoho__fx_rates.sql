-- Grain: one row per version of a rate of the Zoho organisation.
--
-- Zoho says how many units of a currency one unit of the home currency buys, today; the rate
-- holds from the day on which we saw it until we see another.

with currencies as (
    select * from {{ ref('stg_zoho__currencies') }}
    where has_content
),

home_currencies as (
    select
        connection,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from currencies
    where is_base
    group by connection
)

select
    concat(currencies.currency_key, ':', {{ company_date('currencies.observed_at') }})
        as fx_rate_key,
    'zoho' as source_system,
    currencies.connection,
    currencies.raw_version_id,
    'spot' as rate_type,
    'zoho currencies' as rate_source,
    currencies.currency_code,
    home_currencies.currency_code as pivot_currency_code,
    {{ decimal_ratio('1', 'currencies.exchange_rate', 15, 20) }} as rate_to_pivot,
    3 as preference,
    true as is_open_ended,
    currencies.is_deleted,
    {{ company_date('currencies.observed_at') }} as effective_date,
    currencies.observed_at,
    currencies.sync_id,
    currencies.position
from currencies
inner join home_currencies on currencies.connection = home_currencies.connection
where
    currencies.currency_code <> home_currencies.currency_code
    and currencies.exchange_rate > 0
