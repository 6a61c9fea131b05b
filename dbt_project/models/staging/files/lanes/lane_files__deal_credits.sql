-- Grain: one row per landed version of a share in a deal of a file.

select
    deal_credit_key,
    concat(connection, ':', deal_id) as source_deal_key,
    deal_id,
    user_email as user_key,
    coalesce(credit_type, 'revenue') as credit_type,
    share,
    'files' as source_system,
    connection,
    raw_version_id,
    is_deleted,
    valid_from as valid_from_date,
    valid_to as valid_to_date,
    observed_at,
    sync_id,
    position
from {{ ref('stg_files__deal_credits') }}
