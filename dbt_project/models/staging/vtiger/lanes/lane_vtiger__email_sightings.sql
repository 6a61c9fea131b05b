-- Grain: one row per place in which a message was seen: Vtiger's log of e-mails. It keeps no
-- Message-ID, so that it is not recognised in a mailbox.

{% set address = "'[a-z0-9._%+-]+@[a-z0-9.-]+'" %}

with prefixes as (
    select
        connection,
        arg_max(id_prefix, (observed_at, sync_id, position)) as deal_prefix
    from {{ ref('stg_vtiger__modules') }}
    where change = 'upsert' and module_name = 'Potentials'
    group by connection
),

logged as (
    select * from {{ ref('stg_vtiger__emails') }}
    where change = 'upsert'
    qualify
        row_number() over (
            partition by email_key order by observed_at desc, sync_id desc, position desc
        ) = 1
)

select
    logged.email_key as sighting_key,
    concat('crm:', logged.email_key) as message_id,
    'vtiger' as source_system,
    logged.connection,
    concat(logged.connection, ':crm') as mailbox,
    cast([] as varchar[]) as reference_ids,
    regexp_extract(lower(logged.from_email), {{ address }}) as from_address,
    regexp_extract_all(lower(coalesce(logged.to_emails, '')), {{ address }}) as to_addresses,
    regexp_extract_all(lower(coalesce(logged.cc_emails, '')), {{ address }}) as cc_addresses,
    regexp_extract_all(lower(coalesce(logged.bcc_emails, '')), {{ address }}) as bcc_addresses,
    logged.subject,
    'date' as sent_at_basis,
    case
        when split_part(logged.parent_id, 'x', 1) = prefixes.deal_prefix
            then [concat(logged.connection, ':', logged.parent_id)]
        else []
    end as deal_keys,
    false as is_auto_reply,
    false as is_bounce,
    false as is_list,
    false as has_attachment,
    logged.is_deleted as is_gone,
    logged.sent_at,
    logged.observed_at,
    logged.raw_version_id
from logged
left join prefixes on logged.connection = prefixes.connection
where coalesce(logged.vendor_status, '') <> 'SAVED'
