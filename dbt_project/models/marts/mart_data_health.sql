-- Grain: one row per check x day; a build knows its own day, as fct_check_result does. Checks
-- that nothing fails are rows as well, or a clean day would look like one that nobody checked.

with checks as (
    select * from {{ ref('data_checks') }}
),

results as (
    select
        check_id,
        count(*) as n_failing,
        count(*) filter (where severity = 'error') as n_errors,
        count(*) filter (where first_failed_at >= {{ plus_days(as_of_at(), -7) }}) as n_new,
        min(first_failed_at) as first_failed_at
    from {{ ref('fct_check_result') }}
    group by check_id
),

populations as (
    select
        'deal' as population,
        count(*) as n_checked
    from {{ ref('fct_deal') }}
    where not is_deleted
    union all
    select
        'open_deal' as population,
        count(*) as n_checked
    from {{ ref('fct_deal') }}
    where not is_deleted and status = 'open'
    union all
    select
        'lead' as population,
        count(*) as n_checked
    from {{ ref('fct_lead') }}
    where not is_deleted
    union all
    select
        'invoice' as population,
        count(*) as n_checked
    from {{ ref('fct_invoice') }}
    union all
    select
        'user' as population,
        count(*) as n_checked
    from {{ ref('dim_user') }}
    where is_current and not is_placeholder
    union all
    select
        'stream' as population,
        count(*) as n_checked
    from {{ ref('mart_source_health') }}
    where is_newest
    union all
    select
        'whole' as population,
        1 as n_checked
),

measured as (
    select
        coalesce(checks.check_id, results.check_id) as check_id,
        checks.name,
        checks.severity,
        coalesce(checks.population, 'whole') as population,
        coalesce(results.n_failing, 0) as n_failing,
        coalesce(results.n_errors, 0) as n_errors,
        coalesce(results.n_new, 0) as n_new,
        results.first_failed_at,
        coalesce(checks.points, 1) as points
    from checks
    full outer join results on checks.check_id = results.check_id
),

shared as (
    select
        measured.*,
        populations.n_checked,
        -- A record may fail a check in several ways, and what it is counted against may be none.
        least(
            coalesce(
                {{ ratio('measured.n_failing', 'populations.n_checked') }},
                case when measured.n_failing > 0 then 1.0 else 0.0 end
            ),
            1.0
        ) as failing_share,
        {{ ratio('measured.points', 'sum(measured.points) over ()') }} as weight
    from measured
    inner join populations on measured.population = populations.population
),

final as (
    select
        concat_ws('|', check_id, cast({{ as_of_date() }} as varchar)) as data_health_key,
        check_id,
        name as check_name,
        coalesce(severity, 'warn') as severity,
        population,
        cast(n_checked as bigint) as n_checked,
        cast(n_failing as bigint) as n_failing,
        cast(n_errors as bigint) as n_errors,
        cast(n_new as bigint) as n_new,
        coalesce(failing_share, 0) as failing_share,
        coalesce(weight, 0) as weight,
        coalesce(weight * failing_share, 0) as score_cost,
        -- Added as decimals: a sum of doubles depends on its order.
        cast(
            1 - sum(cast(coalesce(weight * failing_share, 0) as decimal(18, 9))) over ()
            as decimal(9, 6)
        ) as day_score,
        {{ as_of_date() }} as as_of_date,
        first_failed_at
    from shared
)

select * from final
