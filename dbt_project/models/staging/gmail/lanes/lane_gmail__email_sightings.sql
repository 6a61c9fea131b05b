-- Grain: one row per place in which a message was seen: a mailbox.

select
    location_key as sighting_key,
    message_id,
    'gmail' as source_system,
    connection,
    concat(connection, ':', mailbox) as mailbox,
    in_reply_to,
    reference_ids,
    from_address,
    to_addresses,
    cc_addresses,
    bcc_addresses,
    subject,
    sent_at_basis,
    cast([] as varchar[]) as deal_keys,
    is_auto_reply,
    is_bounce,
    list_id is not null as is_list,
    has_attachment,
    is_gone,
    sent_at,
    observed_at,
    raw_version_id
from (
    select
        *,
        -- The newest word on the place; the newest content is the last one that had any.
        first_value(is_deleted) over (
            partition by location_key
            order by observed_at desc, sync_id desc, position desc
        ) as is_gone
    from {{ ref('stg_gmail__messages') }}
    qualify
        row_number() over (
            partition by location_key
            order by is_deleted, observed_at desc, sync_id desc, position desc
        ) = 1
) as located
where not is_deleted
