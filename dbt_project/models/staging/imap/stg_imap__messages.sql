-- Grain: one row per landed version of a message in a folder.
--
-- A message that lies in three folders or mailboxes has three rows here; the message
-- itself is told by its id. A location that vanished has no payload and keeps its key.

{% set structure = mail_structure({'folder': 'VARCHAR'}) %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('imap', 'messages') }}
),

final as (
    select
        landed.record.folder,
        landed.record.in_reply_to[1] as in_reply_to,
        {{ mail_columns() }}
    from landed
)

select * from final
