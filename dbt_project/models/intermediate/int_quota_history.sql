-- Grain: one row per grain x scope x measure: what the last eight closed periods say about
-- today's point of the period. Restated, by the owner of the time; splits are not looked at.

with periods as (
    select * from {{ ref('dim_fiscal_period') }}
    where
        grain = 'quarter'
        or grain in (select fct_quota.grain from {{ ref('fct_quota') }} as fct_quota)
),

today as (
    select
        grain,
        cast({{ days_between('start_date', as_of_date()) }} as double) / n_days as rel_day
    from periods
    where is_current
),

cuts as (
    select
        periods.grain,
        periods.period_key,
        periods.start_date,
        periods.end_date,
        periods.start_date + cast(floor(today.rel_day * periods.n_days) as integer) as cut_date
    from periods
    inner join today on periods.grain = today.grain
    where periods.is_closed
    qualify row_number() over (partition by periods.grain order by periods.start_date desc) <= 8
),

instants as (
    select
        *,
        {{ start_of_day('cut_date') }} as cut_at
    from cuts
),

deals as (
    select
        deal_key,
        measure,
        status,
        closed_date,
        amount_at_won_rc,
        coalesce(won_at, {{ start_of_day('closed_date') }}) as won_at,
        coalesce(owner_at_won_user_key, owner_user_key) as winner_user_key
    from {{ ref('fct_deal') }}
    where not is_deleted and not is_excluded
),

scopes as (
    select * from {{ ref('int_user_scopes') }}
),

rates as (
    select * from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

-- The days of the eight periods: an equality finds a version's period faster than a range.
due_days as (
    select
        cast(days.day as date) as due_date,
        instants.*
    from instants
    cross join
        unnest(
            generate_series(
                cast(instants.start_date as timestamp),
                cast(instants.end_date as timestamp),
                interval 1 day
            )
        ) as days (day)
),

open_versions as (
    select
        due_days.grain,
        due_days.period_key,
        due_days.cut_at,
        due_days.cut_date,
        due_days.end_date,
        versions.deal_key,
        versions.owner_user_key,
        versions.currency_code,
        versions.amount_amt
    from {{ ref('fct_deal_version') }} as versions
    inner join due_days
        on
            versions.expected_close_date = due_days.due_date
            and versions.valid_from <= due_days.cut_at
            and coalesce(versions.valid_to, {{ far_future() }}) > due_days.cut_at
    where
        versions.status = 'open'
        and not versions.is_deleted
        and not versions.is_merged_away
        and coalesce(versions.forecast_category, '') <> 'omitted'
        and versions.amount_amt > 0
),

open_then as (
    select
        versions.grain,
        versions.period_key,
        versions.cut_at,
        deals.measure,
        versions.owner_user_key,
        {{ convert_money(
            'versions.amount_amt', 'rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'"
        ) }} as open_rc,
        deals.status = 'won' and deals.closed_date <= versions.end_date
        and deals.won_at >= versions.cut_at as is_won_in_period
    from open_versions as versions
    inner join deals on versions.deal_key = deals.deal_key
    inner join rates
        on versions.currency_code = rates.currency_code and versions.cut_date = rates.rate_date
),

conversions as (
    select
        open_then.grain,
        open_then.measure,
        scopes.scope_type,
        scopes.scope_key,
        count(distinct open_then.period_key) as n_periods_open,
        sum(open_then.open_rc) as open_rc,
        sum(open_then.open_rc) filter (where open_then.is_won_in_period) as converted_rc
    from open_then
    inner join scopes
        on {{ scope_at('scopes', 'open_then.owner_user_key', 'open_then.cut_at') }}
    group by open_then.grain, open_then.measure, scopes.scope_type, scopes.scope_key
),

won_then as (
    select
        cuts.grain,
        cuts.period_key,
        deals.measure,
        scopes.scope_type,
        scopes.scope_key,
        sum(deals.amount_at_won_rc) as won_rc,
        sum(deals.amount_at_won_rc) filter (where deals.closed_date < cuts.cut_date)
            as won_by_cut_rc
    from deals
    inner join cuts on deals.closed_date between cuts.start_date and cuts.end_date
    inner join scopes on {{ scope_at('scopes', 'deals.winner_user_key', 'deals.won_at') }}
    where deals.status = 'won'
    group by cuts.grain, cuts.period_key, deals.measure, scopes.scope_type, scopes.scope_key
),

paces as (
    select
        grain,
        measure,
        scope_type,
        scope_key,
        count(*) as n_periods_won,
        avg({{ ratio('coalesce(won_by_cut_rc, 0)', 'won_rc') }}) as won_share
    from won_then
    where won_rc > 0
    group by grain, measure, scope_type, scope_key
),

final as (
    select
        coalesce(conversions.grain, paces.grain) as grain,
        coalesce(conversions.measure, paces.measure) as measure,
        coalesce(conversions.scope_type, paces.scope_type) as scope_type,
        coalesce(conversions.scope_key, paces.scope_key) as scope_key,
        coalesce(conversions.n_periods_open, 0) as n_periods_open,
        coalesce(paces.n_periods_won, 0) as n_periods_won,
        -- Fewer than four periods teach nothing.
        case
            when conversions.n_periods_open >= 4
                then {{ ratio('conversions.open_rc', 'conversions.converted_rc') }}
        end as required_coverage,
        case when paces.n_periods_won >= 4 then paces.won_share end as won_share
    from conversions
    full outer join paces
        on
            conversions.grain = paces.grain
            and conversions.measure = paces.measure
            and conversions.scope_type = paces.scope_type
            and conversions.scope_key = paces.scope_key
)

select * from final
