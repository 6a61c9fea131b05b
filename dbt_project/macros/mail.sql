{#- What every mailbox source lands of a message: connectors/base/envelope.py writes it. -#}

{#- The structure of a payload; `place` are the fields that say where the message lies. -#}
{% macro mail_structure(place) -%}
    {%- set person = [{'name': 'VARCHAR', 'address': 'VARCHAR'}] -%}
    {%- set envelope = {
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
        'x_auto_response_suppress': 'VARCHAR',
        'is_absence_subject': 'BOOLEAN',
        'list_id': 'VARCHAR',
        'is_bounce': 'BOOLEAN',
        'body_text': 'VARCHAR',
        'is_body_cut': 'BOOLEAN',
    } -%}
    {{ return(dict(envelope, **place)) }}
{%- endmacro %}

{#- The columns of a landed message, of `landed` with its payload as `record`. -#}
{% macro mail_columns() -%}
    concat(landed.connection, ':', landed.record_id) as location_key,
    landed.record.message_id,
    landed.connection,
    coalesce(landed.record."references", []) as reference_ids,
    landed.record."from"[1].address as from_address,
    landed.record."from"[1].name as from_name,
    list_transform(coalesce(landed.record."to", []), lambda one: one.address) as to_addresses,
    list_transform(coalesce(landed.record.cc, []), lambda one: one.address) as cc_addresses,
    list_transform(coalesce(landed.record.bcc, []), lambda one: one.address) as bcc_addresses,
    landed.record.subject,
    landed.record.body_text,
    landed.record.sent_at_basis,
    landed.record.list_id,
    coalesce(landed.record.flags, []) as flags,
    landed.record.size as size_bytes,
    coalesce(landed.record.has_message_id, false) as has_message_id,
    coalesce(landed.record.has_attachment, false) as has_attachment,
    coalesce(landed.record.is_bounce, false) as is_bounce,
    coalesce(landed.record.is_body_cut, false) as is_body_cut,
    -- RFC 3834: anything but "no" was sent by a machine. Exchange marks with the third that
    -- nobody shall answer automatically what itself was sent so.
    coalesce(split_part(landed.record.auto_submitted, ';', 1) <> 'no', false)
    or coalesce(landed.record.precedence in ('auto_reply', 'bulk', 'junk'), false)
    or coalesce(
        regexp_matches(landed.record.x_auto_response_suppress, '\b(all|oof|autoreply)\b'), false
    )
    or coalesce(landed.record.is_absence_subject, false)
    or landed.record.x_autoreply is not null as is_auto_reply,
    landed.record.sent_at,
    landed.record.internal_date as received_at,
    landed.change,
    landed.change <> 'upsert' as is_deleted,
    landed.source_updated_at,
    landed.observed_at,
    landed.sync_id,
    landed.position,
    landed.raw_version_id
{%- endmacro %}

{#- The lane email_sightings of a mailbox source: one row per place that still holds a message.
    messages: its staging model; mailbox: the column that names the mailbox, if the connection is
    not one itself: two folders are one mailbox, or a mail that moved would count as two;
    has_conversations: it has the columns conversation and has_headers. -#}
{% macro mail_sightings(source_system, messages, mailbox=none, has_conversations=false) -%}
    select
        location_key as sighting_key,
        message_id,
        '{{ source_system }}' as source_system,
        connection,
        {% if mailbox %}concat(connection, ':', {{ mailbox }}){% else %}connection{% endif %} as mailbox,
        {%- if has_conversations %}
        conversation,
        has_headers,
        {%- endif %}
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
        -- A group address of our own, which a list server serves, is no list to us.
        list_id is not null
        and not exists (
            select 1
            from {{ source('config', 'own_domains') }} as own
            where
                regexp_matches(
                    lower(located.list_id), concat('[.<]', replace(own.domain, '.', '[.]'), '>?\s*$')
                )
        ) as is_list,
        has_message_id,
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
        from {{ messages }}
        qualify
            row_number() over (
                partition by location_key
                order by is_deleted, observed_at desc, sync_id desc, position desc
            ) = 1
    ) as located
    where not is_deleted
{%- endmacro %}
