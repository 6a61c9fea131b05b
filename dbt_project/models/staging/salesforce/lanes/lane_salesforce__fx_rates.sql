-- Grain: one row per version of a rate of the Salesforce org.
--
-- Salesforce says how many units of a currency one unit of the corporate currency buys: dated
-- where the org keeps dated rates, else as of today, so that a rate holds from the day on
-- which we saw it.

with currencies as (
    select * from {{ ref('stg_salesforce__currencies') }}
),

corporate as (
    select
        connection,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from currencies
    where has_content and is_corporate
    group by connection
),

rates as (
    select
        concat(currency_key, ':', {{ company_date('observed_at') }}) as fx_rate_key,
        connection,
        currency_code,
        conversion_rate,
        4 as preference,
        {{ company_date('observed_at') }} as effective_date,
        false as is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from currencies
    where has_content

    union all

    select
        rate_key,
        connection,
        last_value(currency_code ignore nulls) over seen,
        last_value(conversion_rate ignore nulls) over seen,
        3,
        last_value(effective_date ignore nulls) over seen,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_salesforce__dated_rates') }}
    window seen as (
        partition by rate_key order by observed_at, sync_id, position
        rows between unbounded preceding and current row
    )
)

select
    rates.fx_rate_key,
    'salesforce' as source_system,
    rates.connection,
    rates.raw_version_id,
    'spot' as rate_type,
    'salesforce currencies' as rate_source,
    rates.currency_code,
    corporate.currency_code as pivot_currency_code,
    {{ decimal_ratio('1', 'rates.conversion_rate', 15, 20) }} as rate_to_pivot,
    rates.preference,
    true as is_open_ended,
    rates.is_deleted,
    rates.effective_date,
    rates.observed_at,
    rates.sync_id,
    rates.position
from rates
inner join corporate on rates.connection = corporate.connection
where rates.currency_code <> corporate.currency_code and rates.conversion_rate > 0
