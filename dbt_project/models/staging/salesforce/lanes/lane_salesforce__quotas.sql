-- Grain: one row per landed version of a Salesforce quota in money, of a period that the
-- company's calendar has or once had: a month, a quarter or a year by its length. Quotas of one owner and period for several types of forecast are
-- one quota each; the first type by id is read.

with quotas as (
    select * from {{ ref('stg_salesforce__quotas') }}
),

organizations as (
    select
        connection,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_salesforce__organization') }}
    where has_content
    group by connection
),

periods as (
    {{ salesforce_newest(ref('stg_salesforce__periods'), 'period_id', ['starts_on', 'ends_on']) }}
),

first_types as (
    select
        connection,
        min(forecast_type_id) as forecast_type_id
    from quotas
    where has_content
    group by connection
)

select
    quotas.quota_key as quota_record_key,
    'salesforce' as source_system,
    quotas.connection,
    'user' as scope_type,
    quotas.owner_id as scope_id,
    {{ span_grain('periods.starts_on', 'periods.ends_on') }} as period_type,
    cast(periods.starts_on as varchar) as period,
    periods.starts_on as own_start_date,
    periods.ends_on as own_end_date,
    'bookings' as measure,
    'revenue' as credit_type,
    coalesce(quotas.currency_code, organizations.currency_code) as currency_code,
    quotas.quota_amount as quota_amt,
    cast(1 as decimal(9, 6)) as proration,
    quotas.is_deleted,
    quotas.observed_at,
    quotas.raw_version_id,
    quotas.sync_id,
    quotas.position
from quotas
left join organizations on quotas.connection = organizations.connection
inner join periods
    on quotas.connection = periods.connection and quotas.period_id = periods.period_id
left join first_types on quotas.connection = first_types.connection
where
    quotas.is_amount
    and {{ span_grain('periods.starts_on', 'periods.ends_on') }} is not null
    and (
        quotas.forecast_type_id is null
        or quotas.forecast_type_id = first_types.forecast_type_id
    )
