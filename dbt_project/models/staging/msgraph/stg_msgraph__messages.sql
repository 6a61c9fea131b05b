-- Grain: one row per landed version of a message in a mailbox.
--
-- A message that lies in three mailboxes has three rows here; the message itself is told
-- by its id. One that vanished has no payload and keeps its key.

{% set structure = mail_structure({
    'mailbox': 'VARCHAR',
    'conversation_id': 'VARCHAR',
    'has_headers': 'BOOLEAN',
}) %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('msgraph', 'messages') }}
),

final as (
    select
        landed.record.mailbox,
        landed.record.in_reply_to[1] as in_reply_to,
        -- The mailbox's own thread, for messages whose headers Graph does not show.
        case
            when landed.record.conversation_id is not null
                then concat('thread:', landed.record.mailbox, ':', landed.record.conversation_id)
        end as conversation,
        coalesce(landed.record.has_headers, false) as has_headers,
        {{ mail_columns() }}
    from landed
)

select * from final
