-- Grain: one row per landed version of an e-mail of a deal.

{% set structure = {
    'deal_id': 'VARCHAR',
    'message_id': 'VARCHAR',
    'subject': 'VARCHAR',
    'from': {
        'user_name': 'VARCHAR',
        'email': 'VARCHAR',
    },
    'to': [{
        'user_name': 'VARCHAR',
        'email': 'VARCHAR',
    }],
    'cc': [{
        'user_name': 'VARCHAR',
        'email': 'VARCHAR',
    }],
    'bcc': [{
        'user_name': 'VARCHAR',
        'email': 'VARCHAR',
    }],
    'owner': {'id': 'VARCHAR'},
    'sent': 'BOOLEAN',
    'time': 'TIMESTAMPTZ',
    'sent_time': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'emails') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as email_key,
        landed.record_id as email_id,
        landed.connection,
        landed.record.message_id as vendor_message_id,
        landed.record.deal_id as deal_id,
        nullif(trim(landed.record.subject), '') as subject,
        lower(landed.record['from'].email) as from_address,
        list_transform(coalesce(landed.record['to'], []), lambda one: lower(one.email))
            as to_addresses,
        list_transform(coalesce(landed.record.cc, []), lambda one: lower(one.email))
            as cc_addresses,
        list_transform(coalesce(landed.record.bcc, []), lambda one: lower(one.email))
            as bcc_addresses,
        landed.record.owner.id as owner_id,
        coalesce(landed.record.sent, true) as is_sent,
        coalesce(landed.record.sent_time, landed.record['time']) as sent_at,
        landed.payload is not null as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
