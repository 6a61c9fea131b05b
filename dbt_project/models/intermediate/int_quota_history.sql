-- Grain: one row per grain x scope x measure: what the last eight closed periods say about
-- today's point of the period. Restated, by the owner of the time; splits are not looked at.

with periods as (
    select * from {{ ref('dim_fiscal_period') }}
    where grain in ('month', 'quarter', 'year')
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

open_then as (
    select
        instants.grain,
        instants.period_key,
        instants.cut_at,
        deals.measure,
        versions.owner_user_key,
        {{ convert_money(
            'versions.amount_amt', 'rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'"
        ) }} as open_rc,
        deals.status = 'won' and deals.closed_date <= instants.end_date
        and deals.won_at >= instants.cut_at as is_won_in_period
    from {{ ref('fct_deal_version') }} as versions
    inner join instants
        on
            versions.valid_from <= instants.cut_at
            and coalesce(versions.valid_to, {{ far_future() }}) > instants.cut_at
            and versions.expected_close_date between instants.start_date and instants.end_date
    inner join deals on versions.deal_key = deals.deal_key
    inner join rates
        on versions.currency_code = rates.currency_code and instants.cut_date = rates.rate_date
    where
        versions.status = 'open'
        and not versions.is_deleted
        and not versions.is_merged_away
        and coalesce(versions.forecast_category, '') <> 'omitted'
        and versions.amount_amt > 0
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
