-- Grain: one row per stay of a deal in a stage. A deal that returns has two.
--
-- What the deal's history tells of a stay is kept from build to build, and its worth where the
-- currency is that of the reports: a build computes the others, and the age of the stays that
-- go on.
--
-- depends_on: {{ ref('int_deal_inputs') }}
-- depends_on: {{ ref('fct_deal_version') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=['{{ forget_revalued_deals() }}', '{{ age_going_stays() }}'],
    in_parts_of='fct_deal_version',
    in_parts_where='{{ is_built_now(revalued_deals()) }}',
) }}

with stays as (
    select * from {{ ref('int_deal_stays') }}
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

final as (
    select
        stays.deal_stage_key,
        stays.deal_key,
        stays.survivor_deal_key,
        stays.pipeline_key,
        stays.stage_key,
        stays.stage_type,
        stays.previous_stage_key,
        stays.next_stage_key,
        stays.entry_kind,
        stays.exit_kind,
        stays.owner_user_key,
        stays.currency_code,
        stays.change_precision,
        stays.amount_at_entry_amt,
        {{ convert_money(
            'stays.amount_at_entry_amt', 'entry_rates.rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'"
        ) }} as amount_at_entry_rc,
        stays.amount_at_exit_amt,
        {{ convert_money(
            'stays.amount_at_exit_amt', 'exit_rates.rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'"
        ) }} as amount_at_exit_rc,
        {{ days_in_stay() }} as days_in_stay,
        stays.stage_order,
        stays.stay_no,
        stays.visit_no,
        stays.steps_moved,
        stays.n_stages_skipped,
        stays.uncertainty_seconds,
        stays.exited_at is null as is_current,
        stays.exited_at is null as is_censored,
        stays.is_pass_through,
        stays.is_duration_usable,
        stays.entered_date,
        stays.exited_date,
        stays.expected_close_at_entry,
        stays.entered_at,
        stays.exited_at,
        stays.seen_from,
        stays.is_deleted,
        stays.source_system,
        stays.connection,
        stays.raw_version_id
    from stays
    left join rates as entry_rates
        on
            stays.currency_code = entry_rates.currency_code
            and stays.entered_date = entry_rates.rate_date
    left join rates as exit_rates
        on
            stays.currency_at_exit = exit_rates.currency_code
            and coalesce(stays.exited_date, {{ as_of_date() }}) = exit_rates.rate_date
)

select * from final
