-- Grain: one row per stream x sync, and one per configured stream that never had one.

with runs as (
    select * from {{ ref('stg_meta__sync_runs') }}
),

limits as (
    select * from {{ ref('stg_config__stale_after') }}
),

ordered as (
    select
        runs.*,
        row_number() over (
            partition by runs.source, runs.connection, runs.stream
            order by runs.ended_at desc, runs.sync_id desc
        ) = 1 as is_newest,
        max(case when runs.state = 'complete' then runs.ended_at end) over (
            partition by runs.source, runs.connection, runs.stream
        ) as last_complete_at
    from runs
),

never as (
    select
        limits.source,
        limits.connection,
        limits.stream,
        limits.hours
    from limits
    anti join runs
        on
            limits.source = runs.source
            and limits.connection = runs.connection
            and limits.stream = runs.stream
),

united as (
    select
        ordered.source,
        ordered.connection,
        ordered.stream,
        ordered.sync_id,
        ordered.state,
        ordered.error,
        ordered.seen,
        ordered.appended,
        ordered.requests,
        ordered.bytes,
        ordered.removed,
        ordered.quarantined,
        ordered.vendor_total,
        ordered.live_records,
        ordered.oldest_updated_at,
        ordered.newest_updated_at,
        ordered.schema_drift,
        ordered.mapped_drift,
        limits.hours,
        ordered.is_newest,
        ordered.started_at,
        ordered.ended_at,
        ordered.last_complete_at
    from ordered
    left join limits
        on
            ordered.source = limits.source
            and ordered.connection = limits.connection
            and ordered.stream = limits.stream
    union all
    select
        source,
        connection,
        stream,
        null as sync_id,
        'never' as state,
        null as error,
        0 as seen,
        0 as appended,
        0 as requests,
        0 as bytes,
        0 as removed,
        0 as quarantined,
        null as vendor_total,
        0 as live_records,
        null as oldest_updated_at,
        null as newest_updated_at,
        null as schema_drift,
        null as mapped_drift,
        hours,
        true as is_newest,
        null as started_at,
        null as ended_at,
        null as last_complete_at
    from never
),

final as (
    select
        concat_ws('|', source, connection, stream, coalesce(sync_id, 'never'))
            as source_health_key,
        source as source_system,
        connection,
        stream,
        sync_id,
        state,
        error,
        cast(coalesce(seen, 0) as bigint) as rows_seen_n,
        cast(coalesce(appended, 0) as bigint) as new_versions_n,
        cast(coalesce(removed, 0) as bigint) as removed_n,
        cast(coalesce(quarantined, 0) as bigint) as quarantined_n,
        cast(vendor_total as bigint) as control_total_n,
        -- Windows overlap, so a read may show more than the vendor counts, never less.
        cast(case
            when state = 'complete' and vendor_total is not null
                then greatest(vendor_total - seen, 0)
        end as bigint)
            as control_shortfall_n,
        cast(coalesce(live_records, 0) as bigint) as live_records_n,
        oldest_updated_at,
        newest_updated_at,
        schema_drift,
        mapped_drift,
        cast(coalesce(requests, 0) as bigint) as requests_n,
        cast(coalesce(bytes, 0) as bigint) as bytes_n,
        {{ seconds_between('started_at', 'ended_at') }} as duration_seconds,
        cast({{ seconds_between('last_complete_at', as_of_at()) }} / 3600.0 as double) as lag_hours,
        cast(hours as double) as stale_after_hours,
        is_newest,
        -- Only what has been told how often it should run can be late.
        is_newest
        and hours is not null
        and coalesce(
            {{ seconds_between('last_complete_at', as_of_at()) }} > hours * 3600, true
        ) as is_stale,
        started_at,
        ended_at,
        last_complete_at
    from united
)

select * from final
