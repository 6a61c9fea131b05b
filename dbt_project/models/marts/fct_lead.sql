<<<<<<< Updated upstream
-- Grain: one row per lead, newest state, from the CRM and from e-mail.

with newest as (
    select lead_key, is_deleted, change, raw_version_id
    from {{ ref('int_leads_unioned') }}
    qualify row_number() over (
        partition by lead_key order by observed_at desc, sync_id desc, position desc
    ) = 1
),

content as (
    select *
    from {{ ref('int_leads_unioned') }}
    where change in ('upsert', 'archived')
    qualify row_number() over (
        partition by lead_key order by observed_at desc, sync_id desc, position desc
    ) = 1
),

deals as (
    select * from {{ ref('int_deals_current') }}
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

companies as (
    select record_key, any_value(company_key) as company_key
    from {{ ref('int_company_identities') }}
    group by record_key
),

contacts as (
    select record_key, any_value(contact_key) as contact_key
    from {{ ref('int_contact_identities') }}
    where record_kind = 'contact'
    group by record_key
),

-- Some sources name the lead on the deal and not the deal on the lead.
named_by_deal as (
    select
        source_lead_key as lead_key,
        arg_min(deal_key, created_at) as deal_key
    from deals
    where source_lead_key is not null
    group by source_lead_key
=======
-- Grain: one row per lead, newest state, from the CRM and from e-mail (an inbound sender of
-- an unknown outside domain is a candidate).

with crm as (
    select * from {{ ref('int_leads_current') }}
),

deals as (
    select
        deals.deal_key,
        deals.created_at,
        coalesce(survivors.survivor_deal_key, deals.deal_key) as survivor_key
    from {{ ref('int_deals_current') }} as deals
    left join {{ ref('int_deal_survivors') }} as survivors
        on deals.deal_key = survivors.deal_key
),

-- Deals that were merged away before our first look are known by their survivors only.
all_deals as (
    select
        deal_key,
        survivor_key,
        created_at
    from deals
    where survivor_key in (select deals.deal_key from deals)
    union all
    select
        survivors.deal_key,
        survivors.survivor_deal_key,
        deals.created_at
    from {{ ref('int_deal_survivors') }} as survivors
    inner join deals
        on survivors.survivor_deal_key = deals.deal_key
    where survivors.deal_key not in (select deals.deal_key from deals)
),

-- A lead may name several deals: the one that was made first is its own.
conversions as (
    select
        leads.lead_key,
        arg_min(all_deals.survivor_key, (all_deals.created_at, all_deals.deal_key)) as deal_key,
        min(all_deals.created_at) as deal_created_at
    from (
        select
            lead_key,
            unnest(deal_keys) as deal_key
        from crm
    ) as leads
    inner join all_deals
        on leads.deal_key = all_deals.deal_key
    group by leads.lead_key
),

companies as (
    select
        record_key,
        company_key
    from {{ ref('int_company_identities') }}
),

contacts as (
    select
        record_key,
        contact_key
    from {{ ref('int_contact_identities') }}
    where record_kind = 'contact'
),

addresses as (
    select
        record_key,
        contact_key
    from {{ ref('int_contact_identities') }}
    where record_kind = 'address'
>>>>>>> Stashed changes
),

users as (
    select * from {{ ref('int_user_map') }}
),

<<<<<<< Updated upstream
crm as (
    select
        content.lead_key,
        content.lead_id,
        content.name,
        content.email,
        content.company_name,
        coalesce(companies.company_key, content.source_company_key) as company_key,
        coalesce(contacts.contact_key, content.source_contact_key) as contact_key,
        coalesce(users.user_key, 'unknown') as owner_user_key,
        content.lead_stage,
        content.source_channel,
        content.disqualification_reason,
        deals.deal_key,
        content.is_converted
        or deals.deal_key is not null
        or newest.change = 'converted' as is_converted,
        content.is_disqualified,
        content.created_at,
        coalesce(content.converted_at, deals.created_at) as converted_at,
        content.updated_at,
        newest.is_deleted,
        content.source_system,
        content.connection,
        newest.raw_version_id
    from content
    inner join newest
        on content.lead_key = newest.lead_key
    left join named_by_deal
        on content.lead_key = named_by_deal.lead_key
    left join survivors
        on coalesce(content.source_deal_key, named_by_deal.deal_key) = survivors.deal_key
    left join deals
        on coalesce(
            survivors.survivor_deal_key, content.source_deal_key, named_by_deal.deal_key
        ) = deals.deal_key
    left join companies
        on content.source_company_key = companies.record_key
    left join contacts
        on content.source_contact_key = contacts.record_key
    left join users
        on
            content.connection = users.connection
            and content.owner_id = users.owner_id
),

-- A candidate whose exact address the CRM has as a lead is that lead.
candidates as (
    select * from {{ ref('int_email_lead_candidates') }}
    where email not in (select email from crm where email is not null)
),

united as (
    select
        lead_key,
        lead_id,
        name,
        email,
        company_name,
        company_key,
        contact_key,
        owner_user_key,
        case
            when is_converted then 'converted'
            when is_disqualified then 'disqualified'
            else 'open'
        end as status,
        lead_stage,
        source_channel,
        disqualification_reason,
        deal_key,
        'crm' as origin,
        is_converted,
        created_at,
        case when is_converted then converted_at end as converted_at,
        updated_at,
        is_deleted,
        source_system,
        connection,
        raw_version_id
    from crm

    union all

    select
        lead_key,
        email as lead_id,
        null as name,
        email,
        null as company_name,
        null as company_key,
        null as contact_key,
        'unknown' as owner_user_key,
        'open' as status,
        null as lead_stage,
        'email' as source_channel,
        null as disqualification_reason,
        null as deal_key,
        'email' as origin,
        false as is_converted,
        first_seen_at as created_at,
        null as converted_at,
        null as updated_at,
        false as is_deleted,
        source_system,
        connection,
        raw_version_id
    from candidates
=======
from_crm as (
    select
        crm.lead_key,
        crm.lead_id,
        crm.name,
        crm.email,
        crm.company_name,
        coalesce(companies.company_key, crm.company_keys[1]) as company_key,
        coalesce(contacts.contact_key, crm.contact_keys[1], addresses.contact_key)
            as contact_key,
        coalesce(users.user_key, 'unknown') as owner_user_key,
        case
            when conversions.deal_key is not null or crm.is_converted then 'converted'
            when crm.is_disqualified then 'disqualified'
            else 'open'
        end as status,
        crm.lead_stage,
        crm.source_channel,
        crm.disqualification_reason,
        conversions.deal_key,
        'crm' as origin,
        conversions.deal_key is not null or crm.is_converted as is_converted,
        crm.created_at,
        case
            when conversions.deal_key is not null or crm.is_converted
                then coalesce(crm.converted_at, conversions.deal_created_at)
        end as converted_at,
        crm.updated_at,
        crm.is_deleted,
        crm.source_system,
        crm.connection,
        crm.raw_version_id
    from crm
    left join conversions
        on crm.lead_key = conversions.lead_key
    left join companies
        on crm.company_keys[1] = companies.record_key
    left join contacts
        on crm.contact_keys[1] = contacts.record_key
    left join addresses
        on {{ address_identity('crm.email') }} = addresses.record_key
    left join users
        on
            crm.connection = users.connection
            and crm.owner_id = users.owner_id
),

-- Somebody who is a lead already is no candidate, by address or by person.
from_mail as (
    select
        candidates.lead_key,
        candidates.email as lead_id,
        cast(null as varchar) as name,
        candidates.email,
        cast(null as varchar) as company_name,
        cast(null as varchar) as company_key,
        coalesce(addresses.contact_key, candidates.lead_key) as contact_key,
        'unknown' as owner_user_key,
        'open' as status,
        cast(null as varchar) as lead_stage,
        'email' as source_channel,
        cast(null as varchar) as disqualification_reason,
        cast(null as varchar) as deal_key,
        'email' as origin,
        false as is_converted,
        candidates.first_seen_at as created_at,
        cast(null as {{ instant_type() }}) as converted_at,
        candidates.first_seen_at as updated_at,
        false as is_deleted,
        candidates.source_system,
        candidates.connection,
        candidates.raw_version_id
    from {{ ref('int_email_lead_candidates') }} as candidates
    left join addresses
        on {{ address_identity('candidates.email') }} = addresses.record_key
    where
        not exists (
            select 1 from crm
            where {{ address_identity('crm.email') }} = {{ address_identity('candidates.email') }}
        )
        and candidates.first_seen_at < {{ as_of_at() }}
),

leads as (
    select * from from_crm
    union all
    select * from from_mail
>>>>>>> Stashed changes
),

final as (
    select
        lead_key,
        lead_id,
        name,
        email,
        company_name,
        company_key,
        contact_key,
        owner_user_key,
        status,
        lead_stage,
        source_channel,
        disqualification_reason,
        deal_key,
        origin,
        is_converted,
        {{ company_date('created_at') }} as created_date,
        {{ company_date('converted_at') }} as converted_date,
        created_at,
        converted_at,
        updated_at,
        is_deleted,
        source_system,
        connection,
        raw_version_id
<<<<<<< Updated upstream
    from united
=======
    from leads
>>>>>>> Stashed changes
)

select * from final
