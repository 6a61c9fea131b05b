-- Grain: one row per place in which a message was seen: Salesforce's log of e-mails.

{% set address = "'[a-z0-9._%+-]+@[a-z0-9.-]+'" %}

with newest as (
    select *
    from {{ ref('stg_salesforce__emails') }}
    where has_content
    qualify
        row_number() over (
            partition by email_key order by observed_at desc, sync_id desc, position desc
        ) = 1
)

select
    email_key as sighting_key,
    coalesce(message_id, concat('crm:', email_key)) as message_id,
    'salesforce' as source_system,
    connection,
    concat(connection, ':crm') as mailbox,
    cast([] as varchar[]) as reference_ids,
    nullif(regexp_extract(lower(from_address), {{ address }}), '') as from_address,
    regexp_extract_all(lower(coalesce(to_addresses, '')), {{ address }}) as to_addresses,
    regexp_extract_all(lower(coalesce(cc_addresses, '')), {{ address }}) as cc_addresses,
    regexp_extract_all(lower(coalesce(bcc_addresses, '')), {{ address }}) as bcc_addresses,
    subject,
    'date' as sent_at_basis,
    case when left(about_id, 3) = '006' then [concat(connection, ':', about_id)] else [] end
        as deal_keys,
    opens_n,
    false as is_auto_reply,
    is_bounced as is_bounce,
    false as is_list,
    message_id is not null as has_message_id,
    has_attachment,
    is_deleted as is_gone,
    sent_at,
    observed_at,
    raw_version_id
from newest
-- 5 is a draft that nobody sent.
where coalesce(vendor_status, '') <> '5'
