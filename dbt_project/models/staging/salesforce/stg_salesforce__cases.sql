-- Grain: one row per landed version of a case; one that was merged away is gone.

{% set structure = {
    'CaseNumber': 'VARCHAR',
    'Status': 'VARCHAR',
    'IsClosed': 'BOOLEAN',
    'Priority': 'VARCHAR',
    'AccountId': 'VARCHAR',
    'ContactId': 'VARCHAR',
    'ClosedDate': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'cases') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as ticket_key,
        landed.record_id as ticket_id,
        landed.connection,
        nullif(trim(landed.record.CaseNumber), '') as ticket_number,
        nullif(trim(landed.record.Status), '') as vendor_status,
        lower(nullif(trim(landed.record.Priority), '')) as vendor_severity,
        landed.record.AccountId as company_id,
        landed.record.ContactId as contact_id,
        landed.record.IsClosed as is_closed,
        {{ salesforce_instant('landed.record.ClosedDate') }} as closed_at,
        {{ salesforce_instant('landed.record.CreatedDate') }} as created_at,
        landed.change,
        landed.change in ('deleted', 'archived', 'merged') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
