-- Grain: one row per (user or team) x period x measure x forecast type x credit type x version.

with versions as (
    select *
    from {{ ref('int_quota_versions') }}
    where not is_refused
),

rates as (
    select * from {{ ref('fct_fx_rate') }}
),

dated as (
    select
        *,
        least(
            coalesce(valid_to_date, cast('9999-12-31' as date)),
            coalesce(
                lead(starts_on) over (partition by quota_series_key order by starts_on),
                cast('9999-12-31' as date)
            )
        ) as ends_on,
        -- The constant rate is that of the period's first day; a period that has not begun
        -- has today's.
        least(coalesce(period_start_date, starts_on), {{ as_of_date() }}) as rate_date
    from versions
),

valued as (
    select
        dated.*,
        coalesce(budget.rate_to_rc, spot.rate_to_rc) as fx_rate_to_rc,
        case
            when budget.rate_to_rc is not null then 'budget'
            when spot.rate_to_rc is not null then 'spot'
        end as fx_rate_type
    from dated
    left join rates as budget
        on
            dated.currency_code = budget.currency_code
            and dated.rate_date = budget.rate_date
            and budget.rate_type = 'budget'
    left join rates as spot
        on
            dated.currency_code = spot.currency_code
            and dated.rate_date = spot.rate_date
            and spot.rate_type = 'spot'
),

final as (
    select
        concat_ws('|', quota_series_key, cast(starts_on as varchar)) as quota_key,
        scope_type,
        scope_key,
        case when scope_type = 'user' then scope_key end as user_key,
        case when scope_type = 'team' then scope_key end as team_key,
        period_key,
        grain,
        measure,
        forecast_type,
        credit_type,
        -- A number of units has no currency, which ISO 4217 writes so.
        case when forecast_type = 'quantity' then 'XXX' else currency_code end as currency_code,
        case
            when forecast_type = 'quantity' then null
            when currency_code = '{{ var("reporting_currency") }}' then 'identity'
            else fx_rate_type
        end as fx_rate_type,
        case when forecast_type <> 'quantity' then quota_amt end as quota_amt,
        {{ convert_money(
            "case when forecast_type <> 'quantity' then quota_amt end",
            "case when currency_code = '" ~ var('reporting_currency')
            ~ "' then 1 else fx_rate_to_rc end",
            "'" ~ var('reporting_currency') ~ "'"
        ) }} as quota_rc,
        case when forecast_type = 'quantity' then quota_amt end as quota_qty,
        cast(fx_rate_to_rc as decimal(18, 9)) as fx_rate_to_rc,
        cast(proration as decimal(9, 6)) as proration,
        {{ as_of_date() }} >= starts_on and {{ as_of_date() }} < ends_on as is_in_force,
        is_period_unknown,
        is_spread,
        rate_date as fx_rate_date,
        {{ start_of_day('starts_on') }} as valid_from,
        case
            when ends_on < cast('9999-12-31' as date) then {{ start_of_day('ends_on') }}
        end as valid_to,
        false as is_deleted,
        source_system,
        connection,
        raw_version_id
    from valued
    where starts_on < ends_on
)

select * from final
