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
    -- Some sources show a converted lead once more, others only that it was converted.
    where
        change in ('upsert', 'archived')
        or (change = 'converted' and coalesce(name, email) is not null)
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
),

users as (
    select * from {{ ref('int_user_map') }}
),

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
        content.campaign,
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
        campaign,
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
        null as campaign,
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
        campaign,
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
    from united
)

select * from final
