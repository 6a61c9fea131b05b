-- Grain: one row per message and deal that it may belong to, best first (place 1).
--
-- The CRM's own logging decides. Else the deals of the participants' contacts and companies
-- that were open when the message was sent: a deal whose contact takes part before one that
-- merely has the same company, then the one with the latest activity before the message.

with messages as (
    select * from {{ ref('int_emails_directed') }}
    where direction <> 'internal'
),

participants as (
    select distinct
        people.message_id,
        identities.contact_key
    from {{ ref('int_email_participants') }} as people
    inner join {{ ref('int_contact_identities') }} as identities
        on
            people.address_identity = identities.record_key
            and identities.record_kind = 'address'
    where not people.is_own
),

contact_deals as (
    select distinct
        identities.contact_key,
        bridge.survivor_deal_key as deal_key,
        bridge.valid_from,
        bridge.valid_to
    from {{ ref('bridge_deal_contact') }} as bridge
    inner join {{ ref('int_contact_identities') }} as identities
        on
            bridge.source_contact_key = identities.record_key
            and identities.record_kind = 'contact'
    where not bridge.is_deleted
),

company_domains as (
    select
        companies.domain,
        min(identities.company_key) as company_key
    from {{ ref('int_companies_current') }} as companies
    inner join {{ ref('int_company_identities') }} as identities
        on companies.company_key = identities.record_key
    where
        companies.domain is not null
        and companies.domain not in (select domain from {{ ref('free_mail_domains') }})
    group by companies.domain
    having count(distinct identities.company_key) = 1
),

company_deals as (
    select distinct
        identities.company_key,
        bridge.survivor_deal_key as deal_key,
        bridge.valid_from,
        bridge.valid_to
    from {{ ref('bridge_deal_company') }} as bridge
    inner join {{ ref('int_company_identities') }} as identities
        on bridge.source_company_key = identities.record_key
    where not bridge.is_deleted
),

candidates as (
    select
        messages.message_id,
        logged.deal_key,
        1 as rank_method,
        'crm' as link_method
    from (
        select
            message_id,
            unnest(crm_deal_keys) as deal_key
        from messages
    ) as logged
    inner join messages on logged.message_id = messages.message_id
    union all
    select
        messages.message_id,
        contact_deals.deal_key,
        2 as rank_method,
        'contact' as link_method
    from messages
    inner join participants on messages.message_id = participants.message_id
    inner join contact_deals
        on
            participants.contact_key = contact_deals.contact_key
            and messages.sent_at >= contact_deals.valid_from
            and messages.sent_at < coalesce(contact_deals.valid_to, {{ far_future() }})
    union all
    select
        messages.message_id,
        company_deals.deal_key,
        3 as rank_method,
        'company' as link_method
    from messages
    inner join {{ ref('int_email_participants') }} as people
        on messages.message_id = people.message_id and not people.is_own
    inner join company_domains on people.domain = company_domains.domain
    inner join company_deals
        on
            company_domains.company_key = company_deals.company_key
            and messages.sent_at >= company_deals.valid_from
            and messages.sent_at < coalesce(company_deals.valid_to, {{ far_future() }})
),

best as (
    select
        message_id,
        deal_key,
        min(rank_method) as rank_method,
        min_by(link_method, rank_method) as link_method
    from candidates
    group by message_id, deal_key
),

open_deals as (
    select
        survivor_deal_key as deal_key,
        valid_from,
        coalesce(valid_to, {{ far_future() }}) as valid_to
    from {{ ref('fct_deal_version') }}
    where status = 'open' and not is_deleted
),

eligible as (
    select
        best.message_id,
        best.deal_key,
        best.rank_method,
        best.link_method,
        messages.sent_at
    from best
    inner join messages on best.message_id = messages.message_id
    where
        best.rank_method = 1
        or exists (
            select 1
            from open_deals
            where
                best.deal_key = open_deals.deal_key
                and messages.sent_at >= open_deals.valid_from
                and messages.sent_at < open_deals.valid_to
        )
),

touched as (
    select
        eligible.message_id,
        eligible.deal_key,
        max(activities.occurred_at) as last_activity_at
    from eligible
    inner join {{ ref('fct_activity') }} as activities
        on
            eligible.deal_key = activities.deal_key
            and activities.occurred_at <= eligible.sent_at
    group by eligible.message_id, eligible.deal_key
),

final as (
    select
        eligible.message_id,
        eligible.deal_key,
        eligible.link_method,
        row_number() over (
            partition by eligible.message_id
            order by
                eligible.rank_method,
                touched.last_activity_at desc nulls last,
                eligible.deal_key
        ) as place
    from eligible
    left join touched
        on
            eligible.message_id = touched.message_id
            and eligible.deal_key = touched.deal_key
)

select * from final
