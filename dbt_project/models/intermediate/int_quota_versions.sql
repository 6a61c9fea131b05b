-- Grain: one row per stated quota (scope x period x measure x credit type x start), with the
-- period it names found in the fiscal calendar.

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
),

found as (
    select
        spelt.*,
        coalesce(by_key.period_key, by_month.period_key) as period_key,
        coalesce(by_key.grain, by_month.grain) as grain,
        coalesce(by_key.start_date, by_month.start_date) as period_start_date,
        coalesce(by_key.end_date, by_month.end_date) as period_end_date
    from spelt
    left join periods as by_key on spelt.period_name = by_key.period_key
    left join periods as by_month
        on
            by_key.period_key is null
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
        coalesce(found.valid_from_date, found.period_start_date) as starts_on
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

normalised as (
    select
        concat_ws(
            '|',
            scope_type,
            scope_key,
            coalesce(period_key, period_name),
            coalesce(measure, 'bookings'),
            case when credit_type = 'overlay' then 'overlay' else 'revenue' end
        ) as quota_series_key,
        quota_record_key,
        scope_type,
        scope_key,
        coalesce(period_key, period_name) as period_key,
        grain,
        coalesce(measure, 'bookings') as measure,
        -- primary is another word for revenue credit
        case when credit_type = 'overlay' then 'overlay' else 'revenue' end as credit_type,
        currency_code,
        quota_amt,
        coalesce(proration, 1) as proration,
        period_key is null as is_period_unknown,
        period_start_date,
        period_end_date,
        starts_on,
        valid_to_date,
        observed_at,
        connection,
        raw_version_id
    from scoped
    where not is_deleted
),

final as (
    select
        *,
        -- The second statement about one instant is refused and told (check Q-02).
        row_number() over (
            partition by quota_series_key, starts_on
            order by observed_at, raw_version_id
        ) > 1 as is_refused
    from normalised
)

select * from final
