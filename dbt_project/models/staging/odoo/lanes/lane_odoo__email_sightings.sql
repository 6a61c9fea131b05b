-- Grain: one row per place in which a message was seen: Odoo's log of mails on leads and deals.
-- Whom a mail went to Odoo keeps apart and we do not read: what came in is known by its sender.

with newest as (
    select *
    from {{ ref('stg_odoo__messages') }}
    where
        has_content
        and model_name = 'crm.lead'
        and message_type in ('email', 'email_outgoing')
    qualify
        row_number() over (
            partition by message_key order by observed_at desc, sync_id desc, position desc
        ) = 1
),

gone as (
    select
        message_key,
        arg_max(is_deleted, (observed_at, sync_id, position)) as is_gone
    from {{ ref('stg_odoo__messages') }}
    group by message_key
)

select
    newest.message_key as sighting_key,
    coalesce(nullif(newest.header_id, ''), concat('crm:', newest.message_key)) as message_id,
    'odoo' as source_system,
    newest.connection,
    concat(newest.connection, ':crm') as mailbox,
    cast([] as varchar[]) as reference_ids,
    nullif(regexp_extract(lower(newest.email_from), '[a-z0-9._%+-]+@[a-z0-9.-]+'), '')
        as from_address,
    cast([] as varchar[]) as to_addresses,
    cast([] as varchar[]) as cc_addresses,
    cast([] as varchar[]) as bcc_addresses,
    newest.subject,
    'date' as sent_at_basis,
    case
        when newest.res_id is not null then [concat(newest.connection, ':', newest.res_id)] else []
    end as deal_keys,
    false as is_auto_reply,
    false as is_bounce,
    false as is_list,
    coalesce(newest.header_id, '') <> '' as has_message_id,
    false as has_attachment,
    gone.is_gone,
    newest.happened_at as sent_at,
    newest.observed_at,
    newest.raw_version_id
from newest
inner join gone on newest.message_key = gone.message_key
