-- Grain: one row per landed version of a Chargebee customer.

select
    customer_key as company_key,
    customer_id as company_id,
    'chargebee' as source_system,
    connection,
    coalesce(company_name, person_name) as name,
    {{ address_domain('email') }} as domain,
    country_code as country,
    parent_id as parent_company_id,
    cast([] as varchar[]) as merged_ids,
    company_reference as crm_reference,
    change,
    is_deleted,
    created_at,
    source_updated_at as updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_chargebee__customers') }}
