-- Grain: one row per deal x spell in which it stood won or lost: from the decision to its re-opening
-- or deletion. A move from one won stage to another is no second win. amount_known_rc is at the rate
-- that was known on the day: a table of rates loaded anew does not change it.

with deals as (
    select
        deal_key,
        measure
    from {{ ref('fct_deal') }}
    where not is_excluded
),

stays as (
    select
        deal_key,
        stage_type,
        entry_kind,
        pipeline_key,
        owner_user_key,
        currency_code,
        amount_at_entry_amt,
        amount_at_entry_rc,
        entered_at,
        entered_date,
        exited_at,
        seen_from
    from {{ ref('fct_deal_stage') }}
    where stage_type in ('won', 'lost')
),

known_rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot_as_known'
),

neighbours as (
    select
        *,
        coalesce(
            lag(stage_type) over w = stage_type
            and (lag(exited_at) over w = entered_at or entry_kind = 'restored'),
            false
        ) as is_continued
    from stays
    window w as (partition by deal_key order by entered_at)
),

numbered as (
    select
        *,
        count(*) filter (where not is_continued) over (
            partition by deal_key order by entered_at rows unbounded preceding
        ) as decision_no
    from neighbours
),

decisions as (
    select
        deal_key,
        decision_no,
        min(stage_type) as outcome,
        min(pipeline_key) filter (where not is_continued) as pipeline_key,
        min(owner_user_key) filter (where not is_continued) as owner_user_key,
        min(currency_code) filter (where not is_continued) as currency_code,
        min(amount_at_entry_amt) filter (where not is_continued) as amount_amt,
        min(amount_at_entry_rc) filter (where not is_continued) as amount_rc,
        min(entered_at) as decided_at,
        min(entered_date) as decided_date,
        min(seen_from) as seen_from,
        case when count(exited_at) = count(*) then max(exited_at) end as ended_at
    from numbered
    group by deal_key, decision_no
),

final as (
    select
        decisions.deal_key,
        deals.measure,
        decisions.outcome,
        decisions.pipeline_key,
        decisions.owner_user_key,
        decisions.amount_rc,
        {{ convert_money(
            'decisions.amount_amt', 'known_rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'"
        ) }} as amount_known_rc,
        decisions.decided_date,
        decisions.decided_at,
        coalesce(decisions.ended_at, {{ far_future() }}) as ended_at,
        {{ company_date('decisions.ended_at') }} as ended_date,
        decisions.seen_from,
        lag(decisions.decided_at) over (
            partition by decisions.deal_key, decisions.outcome order by decisions.decided_at
        ) as previous_at
    from decisions
    inner join deals on decisions.deal_key = deals.deal_key
    left join known_rates
        on
            decisions.currency_code = known_rates.currency_code
            and decisions.decided_date = known_rates.rate_date
)

select * from final
