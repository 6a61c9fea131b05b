-- Grain: one row per landed version of a Pipedrive lead; what a converted one was is what it
-- last showed.

with persons as (
    select
        connection,
        contact_id,
        arg_max(name, (observed_at, sync_id, position)) as name,
        arg_max(email, (observed_at, sync_id, position)) as email
    from {{ ref('lane_pipedrive__contacts') }}
    where change = 'upsert'
    group by connection, contact_id
),

organizations as (
    select
        connection,
        organization_id,
        arg_max(organization_name, (observed_at, sync_id, position)) as organization_name
    from {{ ref('stg_pipedrive__organizations') }}
    where has_content
    group by connection, organization_id
),

-- The deal itself says from which lead it came, also where the lead was gone before we read it.
deals as (
    select
        connection,
        source_lead_id,
        min(deal_key) as deal_key,
        min(created_at) as created_at
    from {{ ref('stg_pipedrive__deals') }}
    where source_lead_id is not null
    group by connection, source_lead_id
),

carried as (
    select
        lead_key,
        lead_id,
        connection,
        {% for column in ['lead_name', 'person_id', 'organization_id', 'owner_id',
            'source_channel', 'created_at'] %}
        last_value({{ column }} ignore nulls) over seen as {{ column }},
        {% endfor %}
        deal_id,
        is_archived,
        updated_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_pipedrive__leads') }}
    window seen as (
        partition by lead_key order by observed_at, sync_id, position
        rows between unbounded preceding and current row
    )
)

select
    carried.lead_key,
    carried.lead_id,
    'pipedrive' as source_system,
    carried.connection,
    coalesce(persons.name, carried.lead_name) as name,
    persons.email,
    organizations.organization_name as company_name,
    carried.connection || ':' || carried.organization_id as source_company_key,
    carried.connection || ':' || carried.person_id as source_contact_key,
    case
        when carried.change = 'converted'
            then coalesce(carried.connection || ':' || carried.deal_id, deals.deal_key)
    end as source_deal_key,
    carried.owner_id,
    case
        when carried.change = 'converted' then 'converted'
        when carried.is_archived then 'archived'
        else 'open'
    end as lead_stage,
    carried.source_channel,
    carried.change = 'converted' as is_converted,
    -- The inbox knows no other word for a lead that nobody wants.
    carried.is_archived and carried.change <> 'converted' as is_disqualified,
    carried.created_at,
    case
        when carried.change = 'converted' then coalesce(deals.created_at, carried.observed_at)
    end as converted_at,
    carried.updated_at,
    carried.change,
    carried.is_deleted,
    carried.observed_at,
    carried.sync_id,
    carried.position,
    carried.raw_version_id
from carried
left join persons
    on carried.connection = persons.connection and carried.person_id = persons.contact_id
left join organizations
    on
        carried.connection = organizations.connection
        and carried.organization_id = organizations.organization_id
left join deals
    on carried.connection = deals.connection and carried.lead_id = deals.source_lead_id
