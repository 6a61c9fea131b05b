-- Grain: one row per landed version of a Salesforce quota in money or units, of a period that the
-- company's calendar has or once had: a month, a quarter or a year by its length. Quotas of one owner
-- and period for several types of forecast are one quota each; of those in money and of those in
-- units the first type by id is read.

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
        is_amount,
        min(forecast_type_id) as forecast_type_id
    from quotas
    where has_content
    group by connection, is_amount
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
    case when quotas.is_amount then 'bookings' else 'quantity' end as measure,
    'revenue' as credit_type,
    case
        when quotas.is_amount then coalesce(quotas.currency_code, organizations.currency_code)
        else 'XXX'
    end as currency_code,
    case when quotas.is_amount then quotas.quota_amount else quotas.quota_quantity end as quota_amt,
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
left join first_types
    on quotas.connection = first_types.connection and quotas.is_amount = first_types.is_amount
where
    (quotas.is_amount or quotas.quota_quantity is not null)
    and {{ span_grain('periods.starts_on', 'periods.ends_on') }} is not null
    and (
        quotas.forecast_type_id is null
        or quotas.forecast_type_id = first_types.forecast_type_id
    )
