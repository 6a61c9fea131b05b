-- Grain: one row per place in which a message was seen: a folder of a mailbox, or the CRM.
-- Only places that still hold it, or that held it last; a message outlives its locations.

with nothing as (
    select
        cast(null as varchar) as sighting_key,
        cast(null as varchar) as message_id,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as mailbox,
        cast(null as varchar) as in_reply_to,
        cast(null as varchar[]) as reference_ids,
        cast(null as varchar) as from_address,
        cast(null as varchar[]) as to_addresses,
        cast(null as varchar[]) as cc_addresses,
        cast(null as varchar[]) as bcc_addresses,
        cast(null as varchar) as subject,
        cast(null as varchar) as sent_at_basis,
        cast(null as varchar[]) as deal_keys,
        cast(null as boolean) as is_auto_reply,
        cast(null as boolean) as is_bounce,
        cast(null as boolean) as is_list,
        cast(null as boolean) as has_attachment,
        cast(null as boolean) as is_gone,
        cast(null as {{ instant_type() }}) as sent_at,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as raw_version_id
    where false
)

select * from nothing
{% if has_source('imap') %}
    union all
    select
        location_key as sighting_key,
        message_id,
        'imap' as source_system,
        connection,
        concat(connection, ':', folder) as mailbox,
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
        from {{ ref('stg_imap__messages') }}
        qualify
            row_number() over (
                partition by location_key
                order by is_deleted, observed_at desc, sync_id desc, position desc
            ) = 1
    ) as located
    where not is_deleted
{% endif %}
{% if has_source('hubspot') %}
    union all
    select
        email_key as sighting_key,
        coalesce(
            nullif(trim(message_id, '<> '), ''), concat('crm:', email_key)
        ) as message_id,
        'hubspot' as source_system,
        connection,
        concat(connection, ':crm') as mailbox,
        cast(null as varchar) as in_reply_to,
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
        false as is_auto_reply,
        vendor_status = 'BOUNCED' as is_bounce,
        false as is_list,
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
{% endif %}
