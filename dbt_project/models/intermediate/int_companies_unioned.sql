-- Grain: one row per landed version of a company, over all sources.
-- Customers of a billing system are companies too; those that a CRM already knows are
-- recognised further down, by reference or by domain.

with nothing as (
    select
        cast(null as varchar) as company_key,
        cast(null as varchar) as company_id,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as name,
        cast(null as varchar) as domain,
        cast(null as varchar) as industry,
        cast(null as varchar) as country,
        cast(null as varchar) as owner_id,
        cast(null as varchar) as parent_company_id,
        cast(null as varchar[]) as merged_ids,
        cast(null as varchar) as merged_into_id,
        cast(null as varchar) as crm_reference,
        cast(null as varchar) as change,
        cast(null as boolean) as is_deleted,
        cast(null as {{ instant_type() }}) as created_at,
        cast(null as {{ instant_type() }}) as updated_at,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position,
        cast(null as varchar) as raw_version_id
    where false
)

select * from nothing
{% if has_source('hubspot') %}
    union all
    select
        company_key,
        company_id,
        'hubspot' as source_system,
        connection,
        name,
        domain,
        industry,
        country,
        owner_id,
        parent_company_id,
        string_split_regex(coalesce(merged_ids, ''), '[;, ]+') as merged_ids,
        cast(null as varchar) as merged_into_id,
        cast(null as varchar) as crm_reference,
        change,
        is_deleted,
        coalesce(created_at, record_created_at) as created_at,
        updated_at,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_hubspot__companies') }}
    where change <> 'merged'
{% endif %}
{% if has_source('files') %}
    union all
    select
        company_key,
        company_id,
        'files' as source_system,
        connection,
        name,
        domain,
        industry,
        country,
        cast(null as varchar) as owner_id,
        parent_company_id,
        cast([] as varchar[]) as merged_ids,
        merged_into_id,
        cast(null as varchar) as crm_reference,
        change,
        is_deleted,
        created_at,
        updated_at,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_files__companies') }}
{% endif %}
{% if has_source('stripe') %}
    union all
    select
        customer_key as company_key,
        customer_id as company_id,
        'stripe' as source_system,
        connection,
        customer_name as name,
        {{ address_domain('email') }} as domain,
        cast(null as varchar) as industry,
        country_code as country,
        cast(null as varchar) as owner_id,
        cast(null as varchar) as parent_company_id,
        cast([] as varchar[]) as merged_ids,
        cast(null as varchar) as merged_into_id,
        company_reference as crm_reference,
        case when is_deleted then 'deleted' else 'upsert' end as change,
        is_deleted,
        created_at,
        source_updated_at as updated_at,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_stripe__customers') }}
{% endif %}
