-- Grain: one row per outside address that wrote to us and that nobody knew then.
-- Machines, lists and bounces are no leads; neither are people of companies we deal with.

with messages as (
    select * from {{ ref('int_emails_directed') }}
    where direction = 'in' and not is_auto_reply and not is_bounce and not is_list
),

senders as (
    select
        people.address_identity,
        min(people.address) as address,
        min(people.domain) as domain,
        min(messages.sent_at) as first_seen_at,
        count(*) as n_messages,
        min_by(messages.message_id, messages.sent_at) as first_message_id,
        min_by(messages.source_system, messages.sent_at) as source_system,
        min_by(messages.connection, messages.sent_at) as connection,
        min_by(messages.raw_version_id, messages.sent_at) as raw_version_id
    from messages
    inner join {{ ref('int_email_participants') }} as people
        on messages.message_id = people.message_id
    where people.role = 'from' and not people.is_own
    group by people.address_identity
),

known_people as (
    select record_key
    from {{ ref('int_contact_identities') }}
    where record_kind = 'address' and contact_key not like 'email:%'
),

known_domains as (
    select distinct domain
    from {{ ref('int_companies_current') }}
    where domain is not null
),

final as (
    select
        concat('email:', senders.address_identity) as lead_key,
        senders.address as email,
        senders.domain,
        senders.first_message_id,
        senders.n_messages,
        senders.first_seen_at,
        senders.source_system,
        senders.connection,
        senders.raw_version_id
    from senders
    where
        senders.address_identity not in (select record_key from known_people)
        and (
            senders.domain not in (select domain from known_domains)
            or senders.domain in (select domain from {{ ref('free_mail_domains') }})
        )
)

select * from final
