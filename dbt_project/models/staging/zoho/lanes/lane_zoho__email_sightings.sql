-- Grain: one row per message and deal in which Zoho shows it. It names messages by an id of its
-- own, so that one is not recognised in a mailbox.

with logged as (
    select * from {{ ref('stg_zoho__emails') }}
    where change = 'upsert'
    qualify
        row_number() over (
            partition by email_key order by observed_at desc, sync_id desc, position desc
        ) = 1
)

select
    email_key as sighting_key,
    concat('crm:', connection, ':', vendor_message_id) as message_id,
    'zoho' as source_system,
    connection,
    concat(connection, ':crm') as mailbox,
    cast([] as varchar[]) as reference_ids,
    from_address,
    to_addresses,
    cc_addresses,
    bcc_addresses,
    subject,
    'date' as sent_at_basis,
    [concat(connection, ':', deal_id)] as deal_keys,
    false as is_auto_reply,
    false as is_bounce,
    false as is_list,
    false as has_attachment,
    is_deleted as is_gone,
    sent_at,
    observed_at,
    raw_version_id
from logged
