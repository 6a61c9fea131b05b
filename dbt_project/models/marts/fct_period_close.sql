-- Grain: one row per close of a fiscal period x metric x measure x scope: what was frozen, what
-- the same figure is today, and why it differs. A period that was closed again has the rows of
-- every close; is_current marks the last. Reporting currency of the close.

with closes as (
    select
        *,
        close_no = max(close_no) over (partition by period_key) as is_current,
        currency_code = '{{ var("reporting_currency") }}' as is_comparable
    from {{ ref('stg_closed__periods') }}
),

{% set metrics = [
    'won', 'invoiced_net', 'tax', 'credited_net', 'paid', 'refunded', 'ar_balance',
    'ar_unapplied', 'deferred_revenue', 'recognised_revenue', 'mrr',
] %}

frozen as (
    select
        close_id,
        metric,
        measure,
        scope_type,
        scope_key,
        count(*) as n_records,
        sum(value_rc) as value_rc
    from {{ ref('stg_closed__figures') }}
    group by close_id, metric, measure, scope_type, scope_key
),

restated as (
    select
        closes.close_id,
        figures.metric,
        figures.measure,
        figures.scope_type,
        figures.scope_key,
        sum(figures.value_rc) as value_rc
    from {{ ref('fct_period_figure') }} as figures
    inner join closes on figures.period_key = closes.period_key
    where closes.is_comparable
    group by
        closes.close_id,
        figures.metric,
        figures.measure,
        figures.scope_type,
        figures.scope_key
),

reasons as (
    select
        close_id,
        metric,
        measure,
        scope_type,
        scope_key,
        reason,
        count(*) as n_records,
        sum(difference_rc) as difference_rc
    from {{ ref('fct_period_restatement') }}
    group by close_id, metric, measure, scope_type, scope_key, reason
),

explained as (
    select
        close_id,
        metric,
        measure,
        scope_type,
        scope_key,
        sum(n_records) as n_records,
        string_agg(
            concat(reason, ' ', cast(cast(difference_rc as decimal(18, 2)) as varchar), ' (',
                cast(n_records as varchar), ')'),
            ', ' order by abs(difference_rc) desc, reason
        ) as top_reasons
    from reasons
    group by close_id, metric, measure, scope_type, scope_key
),

-- What the company had none of is nought, and a close says so.
keys as (
    select
        close_id,
        unnest(['{{ metrics | join("', '") }}']) as metric,
        unnest(['bookings'{{ ", 'all'" * (metrics | length - 1) }}]) as measure,
        'company' as scope_type,
        'company' as scope_key
    from closes
    union
    select
        close_id,
        metric,
        measure,
        scope_type,
        scope_key
    from frozen
    union
    select
        close_id,
        metric,
        measure,
        scope_type,
        scope_key
    from restated
),

final as (
    select
        concat_ws(
            '|', keys.close_id, keys.metric, keys.measure, keys.scope_type, keys.scope_key
        ) as period_close_key,
        keys.close_id,
        closes.period_key,
        closes.period_grain,
        keys.metric,
        keys.measure,
        keys.scope_type,
        keys.scope_key,
        closes.currency_code,
        closes.build_id,
        closes.reason as reclose_reason,
        explained.top_reasons,
        cast(coalesce(frozen.value_rc, 0) as {{ money_type() }}) as frozen_rc,
        cast(case when closes.is_comparable then coalesce(restated.value_rc, 0) end
            as {{ money_type() }}) as restated_rc,
        cast(
            case
                when closes.is_comparable
                    then coalesce(restated.value_rc, 0) - coalesce(frozen.value_rc, 0)
            end as {{ money_type() }}
        ) as difference_rc,
        closes.close_no,
        cast(coalesce(frozen.n_records, 0) as bigint) as n_frozen_records,
        cast(coalesce(explained.n_records, 0) as bigint) as n_changed_records,
        closes.is_current,
        closes.start_date as period_start_date,
        closes.end_date as period_end_date,
        closes.seen_to,
        closes.closed_at
    from keys
    inner join closes on keys.close_id = closes.close_id
    left join frozen
        on
            keys.close_id = frozen.close_id
            and keys.metric = frozen.metric
            and keys.measure = frozen.measure
            and keys.scope_type = frozen.scope_type
            and keys.scope_key = frozen.scope_key
    left join restated
        on
            keys.close_id = restated.close_id
            and keys.metric = restated.metric
            and keys.measure = restated.measure
            and keys.scope_type = restated.scope_type
            and keys.scope_key = restated.scope_key
    left join explained
        on
            keys.close_id = explained.close_id
            and keys.metric = explained.metric
            and keys.measure = explained.measure
            and keys.scope_type = explained.scope_type
            and keys.scope_key = explained.scope_key
)

select * from final
