-- Grain: one row per landed version of a forecast of a file.

select
    forecast_submission_key,
    'files' as source_system,
    connection,
    submitter_email,
    scope_type,
    scope_id,
    period,
    category,
    level,
    has_note,
    currency_code,
    forecast_amt,
    system_amt,
    submitted_at,
    is_deleted,
    observed_at,
    raw_version_id,
    sync_id,
    position
from {{ ref('stg_files__forecast_submissions') }}
