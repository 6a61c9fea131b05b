-- Grain: one row per version of a dated rate of the Odoo database.
--
-- Odoo says how many units of a currency one unit of the company's currency buys, from a day
-- on until the next. A rate without a company is every company's, so its base is that of the
-- first one.

with currencies as (
    select
        connection,
        currency_id,
        arg_max(upper(currency_code), (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_odoo__currencies') }}
    where has_content
    group by connection, currency_id
),

own_companies as (
    select
        connection,
        own_company_id,
        arg_max(currency_id, (observed_at, sync_id, position)) as currency_id
    from {{ ref('stg_odoo__own_companies') }}
    where has_content
    group by connection, own_company_id
),

first_companies as (
    select
        connection,
        arg_min(own_company_id, cast(own_company_id as bigint)) as own_company_id
    from own_companies
    group by connection
)

select
    rates.rate_key as fx_rate_key,
    'odoo' as source_system,
    rates.connection,
    rates.raw_version_id,
    'spot' as rate_type,
    'odoo currency rates' as rate_source,
    own.currency_code,
    base.currency_code as pivot_currency_code,
    {{ decimal_ratio('1', 'rates.rate', 15, 20) }} as rate_to_pivot,
    -- A company's own rate before everybody's, and the main company's before a branch's.
    case when rates.own_company_id is distinct from first_companies.own_company_id then 4 else 3 end
        as preference,
    true as is_open_ended,
    rates.is_deleted,
    rates.effective_date,
    rates.observed_at,
    rates.sync_id,
    rates.position
from {{ ref('stg_odoo__currency_rates') }} as rates
inner join first_companies on rates.connection = first_companies.connection
inner join own_companies
    on
        rates.connection = own_companies.connection
        and coalesce(rates.own_company_id, first_companies.own_company_id)
        = own_companies.own_company_id
inner join currencies as base
    on
        own_companies.connection = base.connection
        and own_companies.currency_id = base.currency_id
inner join currencies as own
    on rates.connection = own.connection and rates.currency_id = own.currency_id
where
    rates.has_content
    and rates.rate > 0
    and own.currency_code <> base.currency_code
