-- Grain: one row per message, however many mailboxes saw it. Never its text.

with messages as (
    select * from {{ ref('int_emails_directed') }}
),

threads as (
    select * from {{ ref('int_emails_threaded') }}
),

links as (
    select * from {{ ref('int_email_deals') }}
),

chosen as (
    select * from links
    where place = 1
),

others as (
    select
        message_id,
        list(deal_key order by place) as candidate_deal_keys
    from links
    where place > 1
    group by message_id
),

senders as (
    select
        people.message_id,
        min(identities.contact_key) as contact_key
    from {{ ref('int_email_participants') }} as people
    inner join {{ ref('int_contact_identities') }} as identities
        on
            people.address_identity = identities.record_key
            and identities.record_kind = 'address'
    where people.role = 'from' and not people.is_own
    group by people.message_id
),

final as (
    select
        messages.message_id as email_key,
        md5(threads.root_id) as thread_key,
        chosen.deal_key,
        senders.contact_key as from_contact_key,
        messages.direction,
        coalesce(chosen.link_method, 'none') as link_method,
        messages.from_domain,
        messages.to_domains,
        coalesce(others.candidate_deal_keys, cast([] as varchar[])) as candidate_deal_keys,
        messages.mailboxes,
        messages.sent_at_basis,
        cast(messages.n_mailboxes as bigint) as n_mailboxes,
        cast(messages.n_participants as bigint) as n_participants,
        -- A bounce, a list and an out-of-office answer are nobody's reply.
        messages.is_auto_reply or messages.is_bounce as is_auto_reply,
        messages.is_bounce,
        messages.is_list,
        messages.has_attachment,
        {{ company_date('messages.sent_at') }} as sent_date,
        messages.sent_at,
        messages.is_deleted,
        messages.source_system,
        messages.connection,
        messages.raw_version_id
    from messages
    inner join threads on messages.message_id = threads.message_id
    left join chosen on messages.message_id = chosen.message_id
    left join others on messages.message_id = others.message_id
    left join senders on messages.message_id = senders.message_id
    where messages.sent_at < {{ as_of_at() }}
)

select * from final
