-- Grain: one row per landed version of a logged e-mail.

{% set structure = {
    'subject': 'VARCHAR',
    'from_email': 'VARCHAR',
    'saved_toid': 'VARCHAR',
    'ccmail': 'VARCHAR',
    'bccmail': 'VARCHAR',
    'parent_id': 'VARCHAR',
    'assigned_user_id': 'VARCHAR',
    'email_flag': 'VARCHAR',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
    'date_start': 'VARCHAR',
    'time_start': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'emails') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as email_key,
        landed.record_id as email_id,
        landed.connection,
        nullif(trim(landed.record.subject), '') as subject,
        lower(nullif(trim(landed.record.from_email), '')) as from_email,
        nullif(trim(landed.record.saved_toid), '') as to_emails,
        nullif(trim(landed.record.ccmail), '') as cc_emails,
        nullif(trim(landed.record.bccmail), '') as bcc_emails,
        nullif(trim(landed.record.parent_id), '') as parent_id,
        nullif(trim(landed.record.assigned_user_id), '') as owner_id,
        nullif(trim(landed.record.email_flag), '') as vendor_status,
        {{ try_cast_to("concat_ws(' ', nullif(trim(landed.record.date_start), ''), nullif(trim(landed.record.time_start), ''))", instant_type()) }}
        + {{ vtiger_offset() }} as sent_at,
        -- The text bears no zone; the connector knows it, and has read modifiedtime by it.
        landed.record.createdtime + {{ vtiger_offset() }} as created_at,
        coalesce(landed.source_updated_at, landed.record.modifiedtime) as updated_at,
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
