-- Grain: one row per provider preference x rate type x pivot x currency x effective date:
-- the newest version of each stated rate, deleted ones and those without a value left out.

with newest_versions as (
    select
        *,
        -- A central bank that changes what it published restates every report of that day.
        source_system = 'fx'
        and min(rate_to_pivot) over (partition by fx_rate_key)
        <> max(rate_to_pivot) over (partition by fx_rate_key) as is_restated
    from {{ ref('int_fx_rates_unioned') }}
    qualify
        row_number() over (
            partition by fx_rate_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

final as (
    select *
    from newest_versions
    where
        not is_deleted
        and currency_code is not null
        and pivot_currency_code is not null
        and effective_date is not null
        and effective_date <= {{ as_of_date() }}
        and rate_to_pivot > 0
    -- Two records may state the same day: the one entered last is believed.
    qualify
        row_number() over (
            partition by
                preference, rate_type, pivot_currency_code, currency_code, effective_date
            order by observed_at desc, sync_id desc, position desc
        ) = 1
)

select * from final
