-- Grain: one row per currency x date up to the as-of date, the reporting currency itself left
-- out: the spot rate of the date as it was known when the date was over. Where none was known
-- then, the first that became known for it. So no later entry changes the rate of a past date.

with versions as (
    select
        *,
        {{ company_date('observed_at') }} as observed_date,
        coalesce(
            lead({{ company_date('observed_at') }}) over (
                partition by fx_rate_key order by observed_at, sync_id, position
            ),
            cast('9999-12-31' as date)
        ) as replaced_date
    from {{ ref('int_fx_rates_unioned') }}
),

-- Of the versions of one day the last is what was known when it was over.
stated as (
    select
        * exclude (rate_type),
        'spot_as_known' as rate_type
    from versions
    where
        observed_date < replaced_date
        and not is_deleted
        and rate_type = 'spot'
        and currency_code is not null
        and pivot_currency_code is not null
        and effective_date is not null
        and effective_date <= {{ as_of_date() }}
        and rate_to_pivot > 0
),

followed as (
    select
        *,
        lead(effective_date) over w as next_effective_date,
        lead(observed_date) over w as next_observed_date,
        lead(replaced_date) over w as next_replaced_date
    from stated
    window w as (
        partition by preference, pivot_currency_code, currency_code
        order by effective_date, observed_at, sync_id, position
    )
),

-- A rate stands in until its next one, if that was known in time and never replaced: else both
-- are looked at on each day.
spans as (
    select
        *,
        least(
            case
                when
                    next_replaced_date = cast('9999-12-31' as date)
                    and next_observed_date <= greatest(observed_date, next_effective_date)
                    then next_effective_date - 1
                else cast('9999-12-31' as date)
            end,
            case
                when is_open_ended then cast('9999-12-31' as date)
                else effective_date + {{ var('fx_fill_days') }}
            end,
            replaced_date - 1,
            {{ as_of_date() }}
        ) as last_date
    from followed
),

daily_rates as (
    select
        spans.* exclude (last_date),
        cast(days.day as date) as rate_date,
        greatest(spans.observed_date, cast(days.day as date)) as known_date
    from spans
    cross join unnest(
        generate_series(
            cast(spans.effective_date as timestamp),
            cast(spans.last_date as timestamp),
            interval 1 day
        )
    ) as days (day)
    qualify
        row_number() over (
            partition by
                spans.preference, spans.pivot_currency_code, spans.currency_code, days.day
            order by
                known_date asc,
                spans.effective_date desc,
                spans.observed_at desc,
                spans.sync_id desc,
                spans.position desc
        ) = 1
),

{{ rates_in_reporting('daily_rates') }}
