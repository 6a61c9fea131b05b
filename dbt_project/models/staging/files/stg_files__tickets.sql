-- Grain: one row per landed version of a service case of a file.

{% set structure = {
    'ticket_id': 'VARCHAR',
    'number': 'VARCHAR',
    'status': 'VARCHAR',
    'severity': 'VARCHAR',
    'company_id': 'VARCHAR',
    'company_key': 'VARCHAR',
    'deal_id': 'VARCHAR',
    'deal_key': 'VARCHAR',
    'reopened_count': 'BIGINT',
    'opened_at': 'TIMESTAMPTZ',
    'first_response_at': 'TIMESTAMPTZ',
    'solved_at': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'tickets') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as ticket_key,
        landed.connection,
        nullif(trim(landed.record.ticket_id), '') as ticket_id,
        nullif(trim(landed.record.number), '') as ticket_number,
        lower(nullif(trim(landed.record.status), '')) as vendor_status,
        lower(nullif(trim(landed.record.severity), '')) as vendor_severity,
        nullif(trim(landed.record.company_id), '') as company_id,
        nullif(trim(landed.record.company_key), '') as company_key,
        nullif(trim(landed.record.deal_id), '') as deal_id,
        nullif(trim(landed.record.deal_key), '') as deal_key,
        landed.record.reopened_count as n_reopened,
        landed.record.opened_at as opened_at,
        landed.record.first_response_at as first_response_at,
        landed.record.solved_at as solved_at,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
