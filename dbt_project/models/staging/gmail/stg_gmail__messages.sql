-- Grain: one row per landed version of a message in a mailbox.
--
-- A message that lies in three mailboxes has three rows here; the message itself is told
-- by its id. One that vanished has no payload and keeps its key.

{% set person = [{'name': 'VARCHAR', 'address': 'VARCHAR'}] %}
{% set structure = {
    'mailbox': 'VARCHAR',
    'message_id': 'VARCHAR',
    'has_message_id': 'BOOLEAN',
    'in_reply_to': ['VARCHAR'],
    'references': ['VARCHAR'],
    'from': person,
    'sender': person,
    'reply_to': person,
    'to': person,
    'cc': person,
    'bcc': person,
    'subject': 'VARCHAR',
    'sent_at': 'TIMESTAMPTZ',
    'sent_at_basis': 'VARCHAR',
    'internal_date': 'TIMESTAMPTZ',
    'size': 'BIGINT',
    'flags': ['VARCHAR'],
    'has_attachment': 'BOOLEAN',
    'auto_submitted': 'VARCHAR',
    'precedence': 'VARCHAR',
    'x_autoreply': 'VARCHAR',
    'list_id': 'VARCHAR',
    'is_bounce': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('gmail', 'messages') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as location_key,
        landed.record.message_id,
        landed.connection,
        landed.record.mailbox,
        landed.record.in_reply_to[1] as in_reply_to,
        coalesce(landed.record."references", []) as reference_ids,
        landed.record."from"[1].address as from_address,
        landed.record."from"[1].name as from_name,
        list_transform(coalesce(landed.record."to", []), lambda one: one.address) as to_addresses,
        list_transform(coalesce(landed.record.cc, []), lambda one: one.address) as cc_addresses,
        list_transform(coalesce(landed.record.bcc, []), lambda one: one.address) as bcc_addresses,
        landed.record.subject,
        landed.record.sent_at_basis,
        landed.record.list_id,
        coalesce(landed.record.flags, []) as flags,
        landed.record.size as size_bytes,
        coalesce(landed.record.has_message_id, false) as has_message_id,
        coalesce(landed.record.has_attachment, false) as has_attachment,
        coalesce(landed.record.is_bounce, false) as is_bounce,
        -- RFC 3834: anything but "no" was sent by a machine.
        coalesce(
            split_part(landed.record.auto_submitted, ';', 1) <> 'no'
            or landed.record.precedence in ('auto_reply', 'bulk', 'junk')
            or landed.record.x_autoreply is not null,
            false
        ) as is_auto_reply,
        landed.record.sent_at,
        landed.record.internal_date as received_at,
        landed.change,
        landed.change <> 'upsert' as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
