-- Grain: one row per stated quota (scope x period x measure x forecast type x credit type x start),
-- with the period it names found in the fiscal calendar.
--
-- A quota of a period that the calendar does not have (the fiscal year was changed since) is spread
-- by business days over the periods of its grain that it lies in, in its newest version; the parts
-- of one period are one row, and give way to a quota that was stated for it.
--
-- A measure names the forecast type, too, where it is another than the amount: `recurring`,
-- `one_time` and `quantity` are of bookings, `arr:quantity` is of another measure.

{% set names_type -%}
    regexp_matches(found.measure, '(^|:)(quantity|recurring|one_time)$')
{%- endset %}

with stated as (
    select *
    from {{ ref('int_quotas_unioned') }}
    qualify
        row_number() over (
            partition by quota_record_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

-- FY2027-Q3 as the calendar spells it; FY27-Q3 and 2027-Q3 mean the same; 2026-10 is a
-- calendar month.
spelt as (
    select
        *,
        {{ fiscal_name('period') }} as period_name
    from stated
    where not is_deleted
),

found as (
    select
        spelt.*,
        coalesce(by_dates.period_key, by_key.period_key, by_month.period_key) as period_key,
        coalesce(by_dates.grain, by_key.grain, by_month.grain) as grain,
        coalesce(by_dates.start_date, by_key.start_date, by_month.start_date) as period_start_date,
        coalesce(by_dates.end_date, by_key.end_date, by_month.end_date) as period_end_date
    from spelt
    left join periods as by_dates
        on
            spelt.own_start_date = by_dates.start_date
            and spelt.own_end_date = by_dates.end_date
            and by_dates.grain in ('month', 'quarter', 'year')
    left join periods as by_key
        on spelt.own_start_date is null and spelt.period_name = by_key.period_key
    left join periods as by_month
        on
            spelt.own_start_date is null
            and by_key.period_key is null
            and by_month.grain = 'month'
            and regexp_matches(spelt.period, '^\d{4}-\d{2}$')
            and by_month.start_date = {{ try_cast_to("concat(spelt.period, '-01')", 'date') }}
),

scoped as (
    select
        found.*,
        case
            when found.scope_type = 'team' then regexp_replace(found.scope_id, '^team:', '')
            else coalesce(user_map.user_key, lower(found.scope_id))
        end as scope_key,
        case
            when {{ names_type }}
                then coalesce(nullif(regexp_replace(found.measure, '(^|:)[a-z_]+$', ''), ''), 'bookings')
            else coalesce(found.measure, 'bookings')
        end as plain_measure,
        case
            when {{ names_type }} then regexp_replace(found.measure, '^.*:', '')
            else 'amount'
        end as forecast_type,
        -- primary is another word for revenue credit
        case when found.credit_type = 'overlay' then 'overlay' else 'revenue' end
            as plain_credit_type
    from found
    left join {{ ref('int_user_map') }} as user_map
        on
            found.scope_type = 'user'
            and found.connection = user_map.connection
            and (
                found.scope_id = user_map.owner_id
                or lower(found.scope_id) = user_map.owner_id
            )
),

-- Of one quota of another calendar all versions.
keyed as (
    select
        *,
        concat_ws(
            '|', scope_type, scope_key, own_start_date, own_end_date, plain_measure,
            plain_credit_type, nullif(forecast_type, 'amount')
        ) as own_series_key
    from scoped
),

known as (
    select
        quota_record_key,
        own_series_key,
        scope_type,
        scope_key,
        coalesce(period_key, period_name) as period_key,
        grain,
        plain_measure as measure,
        forecast_type,
        plain_credit_type as credit_type,
        currency_code,
        quota_amt,
        coalesce(proration, 1) as proration,
        period_key is null as is_period_unknown,
        period_start_date,
        period_end_date,
        coalesce(valid_from_date, period_start_date, own_start_date) as starts_on,
        valid_to_date,
        false as is_spread,
        observed_at,
        source_system,
        connection,
        raw_version_id
    from keyed
),

-- Of another calendar: the version that holds on the as-of date.
of_another as (
    select
        *,
        {{ span_grain('own_start_date', 'own_end_date') }} as own_grain
    from keyed
    where
        period_key is null
        and own_start_date is not null
        and coalesce(valid_from_date, own_start_date) <= {{ as_of_date() }}
        and coalesce(valid_to_date > {{ as_of_date() }}, true)
    qualify
        row_number() over (
            partition by own_series_key
            order by valid_from_date desc nulls last, observed_at desc, raw_version_id
        ) = 1
),

days as (
    select
        date,
        sum(case when is_business_day then 1 else 0 end) over (order by date) as business_days_to
    from {{ ref('dim_date') }}
),

-- Business days before the span, up to its end, and up to both ends of its part in each period.
parted as (
    select
        of_another.*,
        spread_over.period_key as part_period_key,
        spread_over.start_date as part_start_date,
        spread_over.end_date as part_end_date,
        before.business_days_to as days_before,
        through.business_days_to - before.business_days_to as n_days,
        coalesce(part_before.business_days_to, before.business_days_to)
        - before.business_days_to as days_from,
        coalesce(part_through.business_days_to, through.business_days_to)
        - before.business_days_to as days_to
    from of_another
    inner join periods as spread_over
        on
            of_another.own_grain = spread_over.grain
            and of_another.own_start_date <= spread_over.end_date
            and of_another.own_end_date >= spread_over.start_date
    inner join days as before on before.date = of_another.own_start_date - 1
    inner join days as through on through.date = of_another.own_end_date
    left join days as part_before
        on part_before.date = greatest(of_another.own_start_date, spread_over.start_date) - 1
    left join days as part_through
        on part_through.date = least(of_another.own_end_date, spread_over.end_date)
),

spread as (
    select
        min(quota_record_key) as quota_record_key,
        cast(null as varchar) as own_series_key,
        scope_type,
        scope_key,
        part_period_key as period_key,
        own_grain as grain,
        plain_measure as measure,
        forecast_type,
        plain_credit_type as credit_type,
        currency_code,
        -- A difference of roundings, so that the parts add up to the quota.
        cast(sum(
            {% for days, sign in [('days_to', ''), ('days_from', '- ')] -%}
            {{ sign }}{{ round_money(
                decimal_ratio(
                    'quota_amt * coalesce(proration, 1) * cast(' ~ days ~ ' as decimal(5, 0))',
                    'n_days', 9, 9
                ),
                'currency_code'
            ) }}
            {% endfor -%}
        ) as {{ money_type() }}) as quota_amt,
        cast(1 as decimal(9, 6)) as proration,
        false as is_period_unknown,
        part_start_date as period_start_date,
        part_end_date as period_end_date,
        part_start_date as starts_on,
        cast(null as date) as valid_to_date,
        true as is_spread,
        max(observed_at) as observed_at,
        min(source_system) as source_system,
        min(connection) as connection,
        min(raw_version_id) as raw_version_id
    from parted
    where n_days > 0 and days_to > days_from
    group by
        scope_type, scope_key, part_period_key, own_grain, plain_measure, forecast_type,
        plain_credit_type, currency_code, part_start_date, part_end_date
),

{% set series -%}
    concat_ws(
        '|', scope_type, scope_key, period_key, measure, credit_type,
        nullif(forecast_type, 'amount')
    )
{%- endset %}

united as (
    select
        {{ series }} as quota_series_key,
        *
    from known
    -- What is spread is in no total under its own name as well.
    where not is_period_unknown or own_series_key not in (select own_series_key from parted)
    union all
    select
        {{ series }} as quota_series_key,
        *
    from spread
    where {{ series }} not in (select {{ series }} from known where not is_period_unknown)
),

final as (
    select
        * exclude (own_series_key),
        -- The second statement about one instant is refused and told (check Q-02).
        row_number() over (
            partition by quota_series_key, starts_on
            order by observed_at, raw_version_id
        ) > 1 as is_refused
    from united
)

select * from final
