-- Grain: one row per deal that is known, or was when its movement was last built.
--
-- The movement of a deal and its places in the funnels are told from its history, from how the
-- deal stands that survives, and from teams, categories and steps of stages, the calendar and the
-- windows that all deals share. The fingerprint stands for all of these. A window grows by a day
-- with each day: that tells only on deals in other currencies, which every build computes.

with inputs as (
    select * from {{ ref('int_deal_inputs') }}
),

histories as (
    select
        deal_key,
        count(*) as n_versions,
        bool_or({{ is_revalued() }}) as is_revalued
    from {{ ref('fct_deal_version') }}
    group by deal_key
),

survivors as (
    select
        deal_key,
        survivor_deal_key
    from {{ ref('int_deal_survivors') }}
),

deals as (
    select
        deal_key,
        {{ row_hash([
            'measure', 'is_excluded', 'is_deleted', 'pipeline_key', 'source_channel', 'status',
            'won_at', 'amount_rc', 'amount_at_won_rc',
        ]) }} as state
    from {{ ref('fct_deal') }}
),

teams as (
    select
        user_key,
        scope_key,
        valid_from,
        valid_to
    from {{ ref('int_user_scopes') }}
    where scope_type = 'team'
),

stages as (
    select
        stage_key,
        forecast_category
    from {{ ref('dim_stage') }}
    where is_current
),

steps as (
    select
        pipeline_key,
        stage_key,
        stage_order,
        is_won_step
    from {{ ref('int_funnel_steps') }}
),

days as (
    select
        date,
        month_period_key,
        quarter_period_key
    from {{ ref('dim_date') }}
),

own_rates as (
    select rate_date
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot' and currency_code = '{{ var("reporting_currency") }}'
),

windows as (
    select
        * exclude (last_date),
        -- Whether the reporting currency has its rate of one.
        {%- for date in ['first_date - 1', 'last_date', 'due_rate_date'] %}
        {{ date }} in (select own_rates.rate_date from own_rates) as is_rated_{{ loop.index }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_pipeline_windows') }}
),

of_all_deals as (
    select sum(part) as shared_fingerprint
    from (
        {%- for shared in ['teams', 'stages', 'steps', 'days', 'windows'] %}
        select {{ fingerprint(shared) }} as part from {{ shared }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as parts
),

now as (
    select
        inputs.deal_key,
        inputs.fingerprint + coalesce(deals.state, 0)
        + coalesce(of_all_deals.shared_fingerprint, 0) as pipeline_fingerprint,
        coalesce(histories.n_versions, 0) as n_versions,
        coalesce(histories.is_revalued, false) as is_revalued
    from inputs
    cross join of_all_deals
    left join histories on inputs.deal_key = histories.deal_key
    left join survivors on inputs.deal_key = survivors.deal_key
    left join deals on coalesce(survivors.survivor_deal_key, inputs.deal_key) = deals.deal_key
),

final as (
    select
        coalesce(now.deal_key, built.deal_key) as deal_key,
        now.pipeline_fingerprint,
        coalesce(now.n_versions, 0) as n_versions,
        coalesce(now.is_revalued, false)
        or now.pipeline_fingerprint is distinct from built.pipeline_fingerprint as is_changed
    from now
    full outer join {{ ref('stg_meta__pipeline_built') }} as built
        on now.deal_key = built.deal_key
)

select * from final
