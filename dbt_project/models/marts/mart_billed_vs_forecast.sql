-- Grain: one row per fiscal quarter x scope x deal (deal_key null: billing of no deal), and one
-- roll-up row per fiscal quarter x scope (row_type rollup). Reporting currency throughout.
--   F forecast at the cut, A amount at the cut, B booked in the period, I billed net in the
--   period at invoice rates, I' the same at the deal's rate, P billed in earlier periods at
--   the deal's rate. The cut is the instant at which the quarter begins.
--   I = F + outcome + amount + not_yet_billed + over_billed + billed_earlier
--         + prior_bookings + fx + unlinked, residual 0.00

with first_seen as (
    select min(seen_from) as first_seen_at from {{ ref('fct_deal_version') }}
),

-- Quarters before pipeledger held anything are told from the vendor's history (forecast_basis).
periods as (
    select
        periods.period_key,
        periods.start_date,
        periods.end_date,
        {{ start_of_day('periods.start_date') }} as cut_at,
        coalesce(first_seen.first_seen_at <= {{ start_of_day('periods.start_date') }}, false)
            as is_as_known
    from {{ ref('stg_config__fiscal_periods') }} as periods
    cross join first_seen
    where periods.grain = 'quarter' and periods.start_date <= {{ as_of_date() }}
),

deals as (
    select * from {{ ref('fct_deal') }}
),

stages as (
    select
        stage_key,
        probability
    from {{ ref('dim_stage') }}
    where valid_to is null
),

rates as (
    {{ rates_by_basis() }}
),

-- Open at the cut: as known, the version that was held last; told from history, the one that
-- covers the cut.
at_cut as (
    select
        periods.period_key,
        versions.deal_key,
        versions.owner_user_key,
        versions.pipeline_key,
        coalesce({{ convert_money('versions.amount_amt', 'rates.rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }}, 0) as amount_rc,
        coalesce(
            versions.expected_close_date between periods.start_date and periods.end_date
            and not (
                periods.is_as_known and coalesce(versions.forecast_category, '') = 'omitted'
            ),
            false
        ) as is_expected,
        -- Histories tell stage, amount, date and owner. Probability and category are those of
        -- today, 1 for what was won since: before we held anything, the stage's count.
        coalesce(
            case when periods.is_as_known then versions.probability end,
            stages.probability, 0
        ) as probability
    from periods
    inner join {{ ref('fct_deal_version') }} as versions
        on
            periods.cut_at
            >= case when periods.is_as_known then versions.seen_from else versions.valid_from end
            and periods.cut_at < coalesce(
                case when periods.is_as_known then versions.seen_to else versions.valid_to end,
                {{ far_future() }}
            )
    left join stages on versions.stage_key = stages.stage_key
    left join rates
        on
            versions.currency_code = rates.currency_code
            and periods.start_date = rates.rate_date
            and case when periods.is_as_known then 'as_known' else 'restated' end = rates.basis
    where versions.status = 'open' and not versions.is_deleted and not versions.is_merged_away
),

forecasts as (
    select
        at_cut.period_key,
        at_cut.deal_key,
        at_cut.owner_user_key,
        at_cut.pipeline_key,
        at_cut.amount_rc,
        case
            when at_cut.is_expected
                then {{ round_money('cast(at_cut.amount_rc as decimal(38, 4)) * at_cut.probability',
                    "'" ~ var('reporting_currency') ~ "'") }}
            else 0
        end as forecast_rc
    from at_cut
),

bookings as (
    select
        periods.period_key,
        bookings.deal_key,
        coalesce(bookings.booked_net_rc, 0) as booked_rc
    from {{ ref('int_invoice_deal_bookings') }} as bookings
    inner join periods on bookings.won_date between periods.start_date and periods.end_date
    inner join deals on bookings.deal_key = deals.deal_key
    where bookings.status = 'won' and not deals.is_deleted and not deals.is_excluded
),

events as (
    select
        periods.period_key,
        periods.start_date,
        events.deal_key,
        sum(events.net_rc) as billed_rc,
        sum(events.net_at_deal_rate_rc) as billed_at_deal_rate_rc
    from {{ ref('int_invoice_billing_events') }} as events
    inner join periods on events.event_date between periods.start_date and periods.end_date
    group by periods.period_key, periods.start_date, events.deal_key
),

billed as (
    select
        period_key,
        deal_key,
        billed_rc,
        billed_at_deal_rate_rc
    from events
    where deal_key is not null
),

unlinked as (
    select
        period_key,
        sum(billed_rc) as billed_rc
    from events
    where deal_key is null
    group by period_key
),

earlier as (
    select
        bookings.period_key,
        bookings.deal_key,
        sum(events.net_at_deal_rate_rc) as billed_earlier_rc
    from bookings
    inner join periods on bookings.period_key = periods.period_key
    inner join {{ ref('int_invoice_billing_events') }} as events
        on bookings.deal_key = events.deal_key and periods.start_date > events.event_date
    group by bookings.period_key, bookings.deal_key
),

subjects as (
    select
        period_key,
        deal_key
    from forecasts
    where forecast_rc <> 0
    union
    select
        period_key,
        deal_key
    from bookings
    union
    select
        period_key,
        deal_key
    from billed
),

measured as (
    select
        subjects.period_key,
        subjects.deal_key,
        -- The owner who won it, else who held it at the cut, else who holds it now.
        coalesce(
            case when bookings.deal_key is not null then deals.owner_at_won_user_key end,
            forecasts.owner_user_key,
            deals.owner_user_key,
            'unknown'
        ) as owner_user_key,
        coalesce(forecasts.pipeline_key, deals.pipeline_key, 'unknown') as pipeline_key,
        deals.source_system,
        deals.connection,
        deals.raw_version_id,
        bookings.deal_key is not null as is_won_in_period,
        coalesce(forecasts.forecast_rc, 0) as forecast_rc,
        coalesce(forecasts.amount_rc, 0) as amount_at_cut_rc,
        coalesce(bookings.booked_rc, 0) as booked_rc,
        coalesce(billed.billed_rc, 0) as billed_rc,
        coalesce(billed.billed_at_deal_rate_rc, 0) as billed_at_deal_rate_rc,
        coalesce(earlier.billed_earlier_rc, 0) as earlier_rc
    from subjects
    left join deals on subjects.deal_key = deals.deal_key
    left join forecasts
        on subjects.period_key = forecasts.period_key and subjects.deal_key = forecasts.deal_key
    left join bookings
        on subjects.period_key = bookings.period_key and subjects.deal_key = bookings.deal_key
    left join billed
        on subjects.period_key = billed.period_key and subjects.deal_key = billed.deal_key
    left join earlier
        on subjects.period_key = earlier.period_key and subjects.deal_key = earlier.deal_key
),

bridged as (
    select
        period_key,
        deal_key,
        owner_user_key,
        pipeline_key,
        source_system,
        connection,
        raw_version_id,
        is_won_in_period,
        forecast_rc,
        amount_at_cut_rc,
        booked_rc,
        billed_rc,
        billed_at_deal_rate_rc,
        case when is_won_in_period then amount_at_cut_rc else 0 end - forecast_rc
            as outcome_var_rc,
        case when is_won_in_period then booked_rc - amount_at_cut_rc else 0 end as amount_var_rc,
        case
            when is_won_in_period
                then -greatest(booked_rc - earlier_rc - billed_at_deal_rate_rc, 0)
            else 0
        end as not_yet_billed_rc,
        case
            when is_won_in_period
                then greatest(earlier_rc + billed_at_deal_rate_rc - booked_rc, 0)
            else 0
        end as over_billed_rc,
        case when is_won_in_period then -earlier_rc else 0 end as billed_earlier_rc,
        case when is_won_in_period then 0 else billed_at_deal_rate_rc end as prior_bookings_rc,
        billed_rc - billed_at_deal_rate_rc as fx_var_rc,
        0 as unlinked_rc
    from measured
    union all
    select
        period_key,
        cast(null as varchar),
        'unlinked',
        'unlinked',
        cast(null as varchar),
        cast(null as varchar),
        cast(null as varchar),
        false,
        0,
        0,
        0,
        billed_rc,
        billed_rc as billed_at_deal_rate_rc,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        billed_rc as unlinked_rc
    from unlinked
),

scoped as (
    select
        'company' as scope_type,
        'all' as scope_key,
        bridged.*
    from bridged
    union all
    select
        'owner',
        bridged.owner_user_key,
        bridged.*
    from bridged
    where bridged.deal_key is not null
    union all
    select
        'pipeline',
        bridged.pipeline_key,
        bridged.*
    from bridged
    where bridged.deal_key is not null
),

{% set parts = [
    'forecast_rc', 'amount_at_cut_rc', 'booked_rc', 'billed_rc', 'billed_at_deal_rate_rc',
    'outcome_var_rc', 'amount_var_rc', 'not_yet_billed_rc', 'over_billed_rc',
    'billed_earlier_rc', 'prior_bookings_rc', 'fx_var_rc', 'unlinked_rc',
] %}

rolled_up as (
    select
        'rollup' as row_type,
        period_key,
        scope_type,
        scope_key,
        cast(null as varchar) as deal_key,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as raw_version_id,
        cast(null as boolean) as is_won_in_period,
        {% for part in parts -%}
            sum({{ part }}) as {{ part }},
        {% endfor -%}
        count(deal_key) as n_deals
    from scoped
    group by period_key, scope_type, scope_key
),

rows_of_all as (
    select
        case when deal_key is null then 'unlinked' else 'deal' end as row_type,
        period_key,
        scope_type,
        scope_key,
        deal_key,
        source_system,
        connection,
        raw_version_id,
        is_won_in_period,
        {% for part in parts -%}
            {{ part }},
        {% endfor -%}
        case when deal_key is null then 0 else 1 end as n_deals
    from scoped
    union all
    select * from rolled_up
),

final as (
    select
        concat_ws(
            '|',
            rows_of_all.period_key,
            rows_of_all.scope_type,
            rows_of_all.scope_key,
            case rows_of_all.row_type
                when 'deal' then rows_of_all.deal_key
                else rows_of_all.row_type
            end
        ) as billed_vs_forecast_key,
        rows_of_all.period_key,
        rows_of_all.scope_type,
        rows_of_all.scope_key,
        rows_of_all.deal_key,
        rows_of_all.row_type,
        'crm_weighted' as forecast_method,
        case when periods.is_as_known then 'as_known' else 'restated' end as forecast_basis,
        rows_of_all.source_system,
        rows_of_all.connection,
        rows_of_all.raw_version_id,
        {% for part in parts -%}
            cast(rows_of_all.{{ part }} as {{ money_type() }}) as {{ part }},
        {% endfor -%}
        cast(
            rows_of_all.billed_rc - (
                rows_of_all.forecast_rc + rows_of_all.outcome_var_rc + rows_of_all.amount_var_rc
                + rows_of_all.not_yet_billed_rc + rows_of_all.over_billed_rc
                + rows_of_all.billed_earlier_rc + rows_of_all.prior_bookings_rc
                + rows_of_all.fx_var_rc + rows_of_all.unlinked_rc
            ) as {{ money_type() }}
        ) as residual_rc,
        cast(rows_of_all.n_deals as bigint) as n_deals,
        rows_of_all.is_won_in_period,
        false as is_deleted,
        periods.start_date as period_start_date,
        periods.end_date as period_end_date
    from rows_of_all
    inner join periods on rows_of_all.period_key = periods.period_key
)

select * from final
