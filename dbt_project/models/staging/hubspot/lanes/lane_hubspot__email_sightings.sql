-- Grain: one row per place in which a message was seen: HubSpot's log of e-mails.

select
    email_key as sighting_key,
    coalesce(
        nullif(trim(message_id, '<> '), ''), concat('crm:', email_key)
    ) as message_id,
    'hubspot' as source_system,
    connection,
    concat(connection, ':crm') as mailbox,
    -- HubSpot logs no references; its own thread holds them together.
    case when thread_id is not null then concat('thread:', connection, ':', thread_id) end
        as conversation,
    false as has_headers,
    cast([] as varchar[]) as reference_ids,
    from_email as from_address,
    list_filter(
        string_split_regex(coalesce(to_emails, ''), '[;, ]+'), lambda one: one <> ''
    ) as to_addresses,
    list_filter(
        string_split_regex(coalesce(cc_emails, ''), '[;, ]+'), lambda one: one <> ''
    ) as cc_addresses,
    cast([] as varchar[]) as bcc_addresses,
    subject,
    'date' as sent_at_basis,
    deal_keys,
    opens_n,
    false as is_auto_reply,
    vendor_status = 'BOUNCED' as is_bounce,
    false as is_list,
    coalesce(trim(message_id, '<> '), '') <> '' as has_message_id,
    false as has_attachment,
    is_deleted as is_gone,
    occurred_at as sent_at,
    observed_at,
    raw_version_id
from (
    select *
    from {{ ref('stg_hubspot__emails') }}
    where change = 'upsert'
    qualify
        row_number() over (
            partition by email_key order by observed_at desc, sync_id desc, position desc
        ) = 1
) as logged
