-- Grain: one row per surviving contact x fiscal month in which anything took place with them,
-- or at whose end a deal of theirs was open.
--
-- By key and never by address: an address that a merged record once had leads to its
-- survivor. Machines, lists and mail among ourselves count nowhere.

with months as (
    select
        period_key,
        start_date,
        end_date,
        row_number() over (order by start_date) as month_no
    from {{ ref('dim_fiscal_period') }}
    where grain = 'month' and start_date <= {{ as_of_date() }}
),

days as (
    select
        dim_date.date,
        months.month_no
    from {{ ref('dim_date') }} as dim_date
    inner join months on dim_date.month_period_key = months.period_key
),

contacts as (
    select
        contact_key,
        company_key,
        name,
        origin
    from {{ ref('dim_contact') }}
    where is_current
),

mails as (
    select
        email_key,
        answers_email_key,
        from_contact_key,
        direction,
        opens_n,
        response_seconds,
        sent_date,
        sent_at
    from {{ ref('fct_email') }}
    where direction <> 'internal' and not is_auto_reply and not is_list
),

addressees as (
    select distinct
        people.message_id,
        identities.contact_key
    from {{ ref('int_email_participants') }} as people
    inner join {{ ref('int_contact_identities') }} as identities
        on
            people.address_identity = identities.record_key
            and identities.record_kind = 'address'
    where people.role <> 'from' and not people.is_own
),

events as (
    select
        from_contact_key as contact_key,
        sent_date as event_date,
        'inbound' as event,
        cast(null as bigint) as opens_n,
        response_seconds,
        sent_at as two_way_at
    from mails
    where direction = 'in'

    union all

    select
        addressees.contact_key,
        mails.sent_date as event_date,
        'outbound' as event,
        mails.opens_n,
        cast(null as bigint) as response_seconds,
        cast(null as {{ instant_type() }}) as two_way_at
    from mails
    inner join addressees on mails.email_key = addressees.message_id
    where mails.direction = 'out'

    union all

    -- Our answer belongs to the person who had waited for it.
    select
        asked.from_contact_key as contact_key,
        mails.sent_date as event_date,
        'our answer' as event,
        cast(null as bigint) as opens_n,
        mails.response_seconds,
        cast(null as {{ instant_type() }}) as two_way_at
    from mails
    inner join mails as asked on mails.answers_email_key = asked.email_key
    where mails.direction = 'out'

    union all

    select
        named.contact_key,
        activities.occurred_date as event_date,
        activities.type as event,
        cast(null as bigint) as opens_n,
        cast(null as bigint) as response_seconds,
        case when activities.is_two_way then activities.occurred_at end as two_way_at
    from {{ ref('fct_activity') }} as activities
    cross join unnest(activities.contact_keys) as named (contact_key)
    where
        activities.done
        and not activities.is_deleted
        and activities.occurred_at < {{ as_of_at() }}
        and (activities.type = 'meeting' or activities.is_two_way)
        -- A CRM's log of mails is in fct_email, once per message.
        and activities.type <> 'email'
),

happened as (
    select
        events.contact_key,
        days.month_no,
        count(*) filter (where events.event = 'inbound') as inbound_n,
        count(*) filter (where events.event = 'outbound') as outbound_n,
        count(*) filter (where events.event = 'meeting') as meetings_n,
        sum(events.opens_n) as opens_n,
        count(events.response_seconds) filter (where events.event = 'inbound') as replies_n,
        count(events.response_seconds) filter (where events.event = 'our answer')
            as our_replies_n,
        median(events.response_seconds) filter (where events.event = 'inbound')
            as median_response_seconds,
        median(events.response_seconds) filter (where events.event = 'our answer')
            as our_median_response_seconds,
        max(events.two_way_at) as two_way_at
    from events
    inner join days on events.event_date = days.date
    group by events.contact_key, days.month_no
),

last_month as (
    select max(month_no) as month_no
    from months
),

-- A version holds at the ends of the months from that in which it begins to the one before
-- that in which it ends; the month that is not over ends at the as-of.
open_versions as (
    select
        versions.survivor_deal_key as deal_key,
        coalesce(begins.month_no, 1) as first_no,
        case
            when versions.valid_to is null then last_month.month_no
            else coalesce(ends.month_no, last_month.month_no + 1) - 1
        end as last_no
    from {{ ref('fct_deal_version') }} as versions
    cross join last_month
    left join days as begins on {{ company_date('versions.valid_from') }} = begins.date
    left join days as ends on {{ company_date('versions.valid_to') }} = ends.date
    where
        versions.status = 'open'
        and not versions.is_deleted
        and versions.valid_from < {{ as_of_at() }}
),

open_deals as (
    select distinct
        deal_key,
        unnest(range(first_no, last_no + 1)) as month_no
    from open_versions
    where last_no >= first_no
),

members as (
    select
        bridge.survivor_deal_key as deal_key,
        bridge.contact_key,
        coalesce(begins.month_no, 1) as first_no,
        case
            when bridge.valid_to is null then last_month.month_no
            else coalesce(ends.month_no, last_month.month_no + 1) - 1
        end as last_no
    from {{ ref('bridge_deal_contact') }} as bridge
    cross join last_month
    left join days as begins on {{ company_date('bridge.valid_from') }} = begins.date
    left join days as ends on {{ company_date('bridge.valid_to') }} = ends.date
    where not bridge.is_deleted and bridge.valid_from < {{ as_of_at() }}
),

taking_part as (
    select
        members.contact_key,
        open_deals.month_no,
        count(distinct open_deals.deal_key) as deals_open_n
    from open_deals
    inner join members
        on
            open_deals.deal_key = members.deal_key
            and open_deals.month_no between members.first_no and members.last_no
    group by members.contact_key, open_deals.month_no
),

places as (
    select
        contact_key,
        month_no
    from happened
    union
    select
        contact_key,
        month_no
    from taking_part
),

final as (
    select
        concat(contacts.contact_key, ':', months.period_key) as contact_engagement_key,
        contacts.contact_key,
        contacts.company_key,
        months.period_key,
        contacts.name,
        contacts.origin,
        coalesce(happened.inbound_n, 0) as inbound_n,
        coalesce(happened.outbound_n, 0) as outbound_n,
        coalesce(happened.meetings_n, 0) as meetings_n,
        cast(happened.opens_n as bigint) as opens_n,
        coalesce(happened.replies_n, 0) as replies_n,
        coalesce(happened.our_replies_n, 0) as our_replies_n,
        coalesce(taking_part.deals_open_n, 0) as deals_open_n,
        {{ minutes_of('happened.median_response_seconds') }} as median_response_minutes,
        {{ minutes_of('happened.our_median_response_seconds') }} as our_median_response_minutes,
        months.start_date as month_start_date,
        months.end_date as month_end_date,
        max(happened.two_way_at) over (
            partition by contacts.contact_key order by months.month_no
        ) as last_two_way_at
    from places
    inner join contacts on places.contact_key = contacts.contact_key
    inner join months on places.month_no = months.month_no
    left join happened
        on places.contact_key = happened.contact_key and places.month_no = happened.month_no
    left join taking_part
        on
            places.contact_key = taking_part.contact_key
            and places.month_no = taking_part.month_no
)

select * from final
