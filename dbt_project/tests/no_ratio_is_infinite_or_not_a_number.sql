-- 1 / 0 is infinity in DuckDB and 0 / 0 is nan: neither may reach a reader. The list follows
-- the DOUBLE columns of the contracts (tests/dbt).

{% set ratios = {
    'mart_funnel_cohort': ['conversion_from_previous', 'conversion_from_base'],
    'mart_sales_velocity': ['win_rate'],
    'mart_funnel_lead_to_cash': ['qualified_rate', 'won_rate', 'paid_net_rate'],
    'mart_data_health': ['failing_share', 'weight', 'score_cost'],
    'mart_rep_performance': [
        'attainment', 'coverage', 'win_rate_count', 'win_rate_value', 'net_win_rate',
        'pushes_per_won', 'share_of_pipeline_with_signals',
    ],
    'mart_funnel_flow': ['forward_rate', 'loss_rate'],
    'mart_ar_ageing_bucket': ['dso_days'],
    'mart_win_rate': ['win_rate_count', 'win_rate_value', 'cohort_win_rate', 'net_win_rate'],
    'mart_stage_velocity': ['share_backward', 'bottleneck_score'],
    'mart_quota_gap': [
        'attainment', 'coverage', 'total_coverage', 'required_coverage', 'coverage_surplus',
    ],
    'mart_forecast': ['period_rel_day'],
    'mart_forecast_quota': ['attainment', 'coverage'],
    'mart_forecast_accuracy': [
        'abs_pct', 'hubspot_style_score', 'bias', 'wape', 'achieved_coverage',
    ],
    'mart_probability_calibration': ['mean_p', 'observed_rate', 'brier', 'log_loss'],
    'mart_order_to_cash': ['billed_share', 'delivered_share', 'paid_share'],
    'mart_after_sales': ['reopened_share'],
    'mart_pipeline_movement': ['slippage_rate'],
    'mart_source_health': ['lag_hours', 'stale_after_hours'],
    'fct_check_result': ['value', 'limit_value'],
} %}

{% for mart, columns in ratios.items() %}
{% set last_mart = loop.last %}
{% for column in columns %}
select
    '{{ mart }}.{{ column }}' as place,
    count(*) as n_rows
from {{ ref(mart) }}
where isnan({{ column }}) or isinf({{ column }})
having count(*) > 0
{% if not (last_mart and loop.last) %}union all{% endif %}
{% endfor %}
{% endfor %}
