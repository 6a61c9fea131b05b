-- Grain: one row per message, however many mailboxes saw it. Never its text.
--
-- Response times: in a thread, what people of one side write until the other side writes is
-- one turn. The first message of a turn answers the first of the turn before it, who has
-- waited for so long; machines, lists and mail among ourselves take no turn.

with messages as (
    select * from {{ ref('int_emails_directed') }}
    where sent_at < {{ as_of_at() }}
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

said as (
    select
        messages.message_id,
        messages.sent_at,
        threads.root_id,
        coalesce(
            lag(messages.direction) over (
                partition by threads.root_id order by messages.sent_at, messages.message_id
            ) <> messages.direction,
            true
        ) as is_turn
    from messages
    inner join threads on messages.message_id = threads.message_id
    where
        messages.direction <> 'internal'
        and not messages.is_auto_reply
        and not messages.is_bounce
        and not messages.is_list
),

answers as (
    select
        message_id,
        sent_at,
        lag(message_id) over (partition by root_id order by sent_at, message_id) as answered_id,
        lag(sent_at) over (partition by root_id order by sent_at, message_id) as asked_at
    from said
    where is_turn
),

days as (
    select
        date,
        is_business_day,
        sum(case when is_business_day then 1 else 0 end) over (order by date)
        - case when is_business_day then 1 else 0 end as business_days_before
    from {{ ref('dim_date') }}
),

responses as (
    select
        answers.message_id,
        answers.answered_id,
        {{ business_second_no('answered_days', 'answers.sent_at') }}
        - ({{ business_second_no('asked_days', 'answers.asked_at') }}) as response_seconds
    from answers
    left join days as asked_days on {{ company_date('answers.asked_at') }} = asked_days.date
    left join days as answered_days
        on {{ company_date('answers.sent_at') }} = answered_days.date
    where answers.answered_id is not null
),

final as (
    select
        messages.message_id as email_key,
        md5(threads.root_id) as thread_key,
        chosen.deal_key,
        senders.contact_key as from_contact_key,
        responses.answered_id as answers_email_key,
        messages.direction,
        coalesce(chosen.link_method, 'none') as link_method,
        messages.from_domain,
        messages.to_domains,
        coalesce(others.candidate_deal_keys, cast([] as varchar[])) as candidate_deal_keys,
        messages.mailboxes,
        messages.sent_at_basis,
        cast(messages.n_mailboxes as bigint) as n_mailboxes,
        cast(messages.n_participants as bigint) as n_participants,
        messages.opens_n,
        cast(responses.response_seconds as bigint) as response_seconds,
        -- A bounce and an out-of-office answer are nobody's reply.
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
    left join responses on messages.message_id = responses.message_id
)

select * from final
