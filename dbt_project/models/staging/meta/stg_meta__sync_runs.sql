-- Grain: one row per stream and sync.

select
    source,
    connection,
    stream,
    sync_id,
    state,
    seen,
    appended,
    requests,
    bytes,
    started_at,
    "at" as ended_at,
    error,
    quarantined,
    vendor_total,
    removed,
    live_records,
    oldest_updated_at,
    newest_updated_at,
    schema_drift,
    mapped_drift
from {{ source('meta', 'sync_runs') }}
