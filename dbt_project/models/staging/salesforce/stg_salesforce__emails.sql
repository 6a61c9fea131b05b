-- Grain: one row per landed version of an e-mail, without its text.

{% set structure = {
    'MessageIdentifier': 'VARCHAR',
    'Subject': 'VARCHAR',
    'Incoming': 'BOOLEAN',
    'Status': 'VARCHAR',
    'FromAddress': 'VARCHAR',
    'ToAddress': 'VARCHAR',
    'CcAddress': 'VARCHAR',
    'BccAddress': 'VARCHAR',
    'MessageDate': 'VARCHAR',
    'FirstOpenedDate': 'VARCHAR',
    'HasAttachment': 'BOOLEAN',
    'RelatedToId': 'VARCHAR',
    'IsBounced': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'emails') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as email_key,
        landed.record_id as email_id,
        landed.connection,
        nullif(trim(landed.record.MessageIdentifier, '<> '), '') as message_id,
        nullif(trim(landed.record.Subject), '') as subject,
        landed.record.Status as vendor_status,
        landed.record.FromAddress as from_address,
        landed.record.ToAddress as to_addresses,
        landed.record.CcAddress as cc_addresses,
        landed.record.BccAddress as bcc_addresses,
        landed.record.RelatedToId as about_id,
        coalesce(landed.record.Incoming, false) as is_incoming,
        -- Salesforce tells when a mail that it tracks was first opened, and not how often.
        case when landed.record.FirstOpenedDate is not null then 1 end as opens_n,
        coalesce(landed.record.HasAttachment, false) as has_attachment,
        coalesce(landed.record.IsBounced, false) as is_bounced,
        {{ salesforce_instant('landed.record.MessageDate') }} as sent_at,
        landed.payload is not null and landed.change <> 'merged' as has_content,
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
