-- Grain: one row per currency x date x rate_type (spot, spot_as_known, budget, source_document),
-- up to the as-of date.
-- rate_to_rc: reporting units per 1 unit of the currency. Multiply with it, never divide.

with daily_rates as (
    select * from {{ ref('int_fx_rates_daily') }}
    union all
    select * from {{ ref('int_fx_rates_known') }}
),

-- One unit of the reporting currency is one unit, on every day of twenty years.
identity as (
    select
        '{{ var("reporting_currency") }}' as currency_code,
        rate_types.rate_type,
        cast(days.day as date) as rate_date
    from (select unnest(['spot', 'spot_as_known']) as rate_type) as rate_types
    cross join unnest(
        generate_series(
            cast({{ as_of_date() }} as timestamp) - interval 20 year,
            cast({{ as_of_date() }} as timestamp),
            interval 1 day
        )
    ) as days (day)
),

documents as (
    select * from {{ ref('int_fx_rates_documents') }}
),

final as (
    select
        concat_ws(':', daily_rates.currency_code, daily_rates.rate_date, daily_rates.rate_type)
            as fx_rate_key,
        daily_rates.currency_code,
        daily_rates.rate_type,
        daily_rates.rate_source as source,
        daily_rates.source_system,
        daily_rates.connection,
        daily_rates.raw_version_id,
        daily_rates.rate_to_rc,
        false as is_deleted,
        daily_rates.rate_date,
        daily_rates.effective_date as filled_from_date
    from daily_rates
    union all
    select
        concat_ws(':', identity.currency_code, identity.rate_date, identity.rate_type),
        identity.currency_code,
        identity.rate_type,
        'identity',
        'pipeledger',
        'pipeledger',
        'identity',
        cast(1 as decimal(18, 9)),
        false,
        identity.rate_date,
        identity.rate_date as filled_from_date
    from identity
    union all
    select
        concat_ws(':', currency_code, rate_date, 'source_document'),
        currency_code,
        'source_document',
        'invoices',
        source_system,
        connection,
        raw_version_id,
        rate_to_rc,
        false,
        rate_date,
        rate_date
    from documents
)

select * from final
