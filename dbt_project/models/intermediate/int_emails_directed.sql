-- Grain: one row per message: when, in which direction, in how many mailboxes.
--   out       from us to anybody outside
--   in        from outside
--   internal  among ourselves; never counts as engagement

with sightings as (
    select
        *,
        source_system in ('gmail', 'imap', 'msgraph') as is_mailbox
    from {{ ref('int_email_sightings') }}
),

messages as (
    select
        message_id,
        min(sent_at) as sent_at,
        min(sent_at_basis) as sent_at_basis,
        max(subject) as subject,
        bool_or(is_auto_reply) as is_auto_reply,
        bool_or(is_bounce) as is_bounce,
        bool_or(is_list) as is_list,
        bool_or(has_attachment) as has_attachment,
        bool_and(is_gone) as is_deleted,
        count(distinct mailbox) as n_mailboxes,
        list_sort(list(distinct mailbox)) as mailboxes,
        list_sort(list_distinct(flatten(list(deal_keys)))) as crm_deal_keys,
        max(opens_n) as opens_n,
        min(observed_at) as first_seen_at,
        -- The mailbox is nearer to the message than the CRM's copy.
        min_by(source_system, (not is_mailbox, sighting_key)) as source_system,
        min_by(connection, (not is_mailbox, sighting_key)) as connection,
        min_by(raw_version_id, (not is_mailbox, sighting_key)) as raw_version_id
    from sightings
    group by message_id
),

sides as (
    select
        message_id,
        bool_or(role = 'from' and is_own) as is_from_us,
        bool_or(role <> 'from' and not is_own) as is_to_outside,
        max(address) filter (where role = 'from') as from_address,
        max(domain) filter (where role = 'from') as from_domain,
        list_sort(list(distinct domain) filter (where role <> 'from')) as to_domains,
        count(distinct address_identity) as n_participants
    from {{ ref('int_email_participants') }}
    group by message_id
),

final as (
    select
        messages.*,
        sides.from_address,
        sides.from_domain,
        coalesce(sides.to_domains, cast([] as varchar[])) as to_domains,
        coalesce(sides.n_participants, 0) as n_participants,
        case
            when not coalesce(sides.is_from_us, false) then 'in'
            when sides.is_to_outside then 'out'
            else 'internal'
        end as direction
    from messages
    left join sides on messages.message_id = sides.message_id
)

select * from final
