-- Grain: one row per landed version of a quota of a file.

select
    quota_record_key,
    'files' as source_system,
    connection,
    scope_type,
    scope_id,
    period_type,
    period,
    measure,
    credit_type,
    currency_code,
    quota_amt,
    proration,
    valid_from_date,
    valid_to_date,
    own_start_date,
    own_end_date,
    is_deleted,
    observed_at,
    raw_version_id,
    sync_id,
    position
from {{ ref('stg_files__quotas') }}
