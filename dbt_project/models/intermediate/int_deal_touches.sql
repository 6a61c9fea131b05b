-- Grain: one row per open deal: who spoke last, and how many outside people took part, up to
-- the as-of. Machine mail is no word of anybody.

with deals as (
    select deal_key
    from {{ ref('fct_deal') }}
    where status = 'open' and not is_deleted and not is_excluded
),

mails as (
    select
        fct_email.deal_key,
        fct_email.sent_at as touched_at,
        fct_email.direction = 'in' as is_inbound,
        fct_email.direction = 'out' as is_outbound,
        case when fct_email.direction = 'in' then fct_email.from_contact_key end as contact_key
    from {{ ref('fct_email') }} as fct_email
    inner join deals on fct_email.deal_key = deals.deal_key
    where
        fct_email.direction in ('in', 'out')
        and not fct_email.is_auto_reply
        and not fct_email.is_bounce
        and fct_email.sent_at <= {{ as_of_at() }}
),

logs as (
    select distinct connection
    from {{ ref('int_email_sightings') }}
    where source_system not in ('gmail', 'imap', 'msgraph')
),

activities as (
    select *
    from {{ ref('fct_activity') }}
    where
        not is_deleted
        and done
        and occurred_at <= {{ as_of_at() }}
        -- Where a CRM's log of mails is read, each is in fct_email already, once per message.
        and not (type = 'email' and connection in (select connection from logs))
),

spoken as (
    select
        named.deal_key,
        activities.occurred_at as touched_at,
        activities.is_two_way as is_inbound,
        activities.type in ('call', 'email')
        and coalesce(activities.direction, 'out') = 'out'
        and not activities.is_two_way as is_outbound,
        case when activities.is_two_way then activities.contact_keys end as contact_keys
    from activities
    cross join unnest(activities.deal_keys) as named (deal_key)
    inner join deals on named.deal_key = deals.deal_key
),

touches as (
    select
        deal_key,
        touched_at,
        is_inbound,
        is_outbound
    from mails
    union all
    select
        deal_key,
        touched_at,
        is_inbound,
        is_outbound
    from spoken
),

contacts as (
    select
        deal_key,
        contact_key
    from mails
    where contact_key is not null
    union
    select
        deal_key,
        unnest(contact_keys) as contact_key
    from spoken
    where contact_keys is not null
),

engaged as (
    select
        deal_key,
        count(*) as n_engaged_contacts
    from contacts
    group by deal_key
),

last_words as (
    select
        deal_key,
        max(touched_at) filter (where is_inbound) as last_inbound_at,
        max(touched_at) filter (where is_outbound) as last_outbound_at,
        max(touched_at) as last_spoken_at
    from touches
    group by deal_key
),

unanswered as (
    select
        touches.deal_key,
        count(*) as n_unanswered
    from touches
    inner join last_words on touches.deal_key = last_words.deal_key
    where
        touches.is_outbound
        and (
            last_words.last_inbound_at is null
            or touches.touched_at > last_words.last_inbound_at
        )
    group by touches.deal_key
),

final as (
    select
        deals.deal_key,
        last_words.last_inbound_at,
        last_words.last_outbound_at,
        last_words.last_spoken_at,
        coalesce(unanswered.n_unanswered, 0) as n_unanswered,
        coalesce(engaged.n_engaged_contacts, 0) as n_engaged_contacts
    from deals
    left join last_words on deals.deal_key = last_words.deal_key
    left join unanswered on deals.deal_key = unanswered.deal_key
    left join engaged on deals.deal_key = engaged.deal_key
)

select * from final
