-- Grain: one row per landed version of a declared share of a deal's credit.

{% set structure = {
    'deal_id': 'VARCHAR',
    'user_email': 'VARCHAR',
    'credit_type': 'VARCHAR',
    'share': 'DECIMAL(24,6)',
    'valid_from': 'DATE',
    'valid_to': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'deal_credits') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_credit_key,
        landed.connection,
        nullif(trim(landed.record.deal_id), '') as deal_id,
        lower(nullif(trim(landed.record.user_email), '')) as user_email,
        lower(nullif(trim(landed.record.credit_type), '')) as credit_type,
        cast(landed.record.share as decimal(9, 6)) as share,
        landed.record.valid_from as valid_from,
        landed.record.valid_to as valid_to,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
