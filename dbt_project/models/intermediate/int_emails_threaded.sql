-- Grain: one row per message with the root of its thread.
--
-- A message's parent is the last id of its References, else its In-Reply-To; every id that
-- References names is a node, so that a thread holds together although we never saw its
-- first mail. The root of the tree is the thread. Chains of more than 200 hops, or that
-- return to themselves, are cut there: broken clients and ticket systems write such.
--
-- Where no place shows a message's headers (Graph without them, HubSpot's log), the source's own
-- conversation stands for them: the message answers the earliest of it. Each mailbox names a
-- conversation otherwise; a message that lies in two of them says that both are one.
--
-- Where neither a message nor its answer bears any id, the same subject among the same people
-- with at most 14 days of silence is one thread.

with recursive sightings as (
    select * from {{ ref('int_email_sightings') }}
),

headless as (
    select message_id
    from sightings
    group by message_id
    having
        not bool_or(coalesce(has_headers, true))
        and max(len(reference_ids)) = 0
        and count(in_reply_to) = 0
        and count(conversation) > 0
),

conversations as (
    select
        message_id,
        conversation,
        min(sent_at) as sent_at
    from sightings
    where
        conversation in (
            select conversation
            from sightings
            where message_id in (select message_id from headless)
        )
    group by message_id, conversation
),

-- Few: as many as mailboxes that hold one conversation.
together as (
    select distinct
        conversations.conversation,
        others.conversation as reached
    from conversations
    inner join conversations as others on conversations.message_id = others.message_id

    union

    select
        together.conversation,
        others.conversation as reached
    from together
    inner join conversations on together.reached = conversations.conversation
    inner join conversations as others on conversations.message_id = others.message_id
),

united as (
    select
        conversation,
        min(reached) as conversation_key
    from together
    group by conversation
),

earliest as (
    select
        united.conversation_key,
        min_by(
            conversations.message_id, (conversations.sent_at, conversations.message_id)
        ) as message_id
    from conversations
    inner join united on conversations.conversation = united.conversation
    group by united.conversation_key
),

ordered as (
    -- The same message may carry a shorter list in one mailbox: the longest counts.
    select
        message_id,
        case
            when len(longest) > 0 then list_append(longest, message_id)
            when in_reply_to is not null then [in_reply_to, message_id]
            else [message_id]
        end as ids
    from (
        select
            message_id,
            max_by(reference_ids, len(reference_ids)) as longest,
            min(in_reply_to) as in_reply_to
        from sightings
        group by message_id
    ) as messages
),

links as (
    select
        ids[place] as parent_id,
        ids[place + 1] as child_id
    from (
        select
            ids,
            unnest(range(1, len(ids))) as place
        from ordered
        where len(ids) > 1
    ) as steps
),

without_ids as (
    select
        message_id,
        min(sent_at) as sent_at,
        min({{ plain_subject('subject') }}) as subject,
        list_sort(
            list_distinct(
                list_concat([min(from_address)], min(to_addresses), min(cc_addresses))
            )
        ) as people
    from sightings
    group by message_id
    having
        not bool_or(coalesce(has_message_id, false))
        and max(len(reference_ids)) = 0
        and count(in_reply_to) = 0
        and count(conversation) = 0
),

silences as (
    select
        *,
        {{ seconds_between(
            'lag(sent_at) over (partition by subject, people order by sent_at, message_id)',
            'sent_at'
        ) }} as silent_seconds
    from without_ids
    where subject <> ''
),

talks as (
    select
        *,
        count(*) filter (where silent_seconds > 14 * 86400) over (
            partition by subject, people order by sent_at, message_id
        ) as talk_no
    from silences
),

parents as (
    select
        child_id,
        min(parent_id) as parent_id
    from links
    where parent_id <> child_id
    group by child_id

    union all

    select
        child_id,
        parent_id
    from (
        select
            message_id as child_id,
            first_value(message_id) over (
                partition by subject, people, talk_no order by sent_at, message_id
            ) as parent_id
        from talks
    ) as answers
    where parent_id <> child_id

    union all

    select
        headless.message_id as child_id,
        min(earliest.message_id) as parent_id
    from headless
    inner join conversations on headless.message_id = conversations.message_id
    inner join united on conversations.conversation = united.conversation
    inner join earliest on united.conversation_key = earliest.conversation_key
    where headless.message_id <> earliest.message_id
    group by headless.message_id
),

climbs as (
    select
        message_id,
        message_id as reached_id,
        0 as hops
    from ordered

    union all

    select
        climbs.message_id,
        parents.parent_id as reached_id,
        climbs.hops + 1 as hops
    from climbs
    inner join parents on climbs.reached_id = parents.child_id
    where climbs.hops < 200
),

final as (
    select
        message_id,
        case
            when max(hops) < 200 then max_by(reached_id, hops)
            else min(reached_id)
        end as root_id
    from climbs
    group by message_id
)

select * from final
