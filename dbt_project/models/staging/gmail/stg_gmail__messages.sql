-- Grain: one row per landed version of a message in a mailbox.
--
-- A message that lies in three mailboxes has three rows here; the message itself is told
-- by its id. One that vanished has no payload and keeps its key.

{% set structure = mail_structure({'mailbox': 'VARCHAR'}) %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('gmail', 'messages') }}
),

final as (
    select
        landed.record.mailbox,
        landed.record.in_reply_to[1] as in_reply_to,
        {{ mail_columns() }}
    from landed
)

select * from final
