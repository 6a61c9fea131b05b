-- Grain: one row per landed version of a Stripe customer.

select
    customer_key as company_key,
    customer_id as company_id,
    'stripe' as source_system,
    connection,
    customer_name as name,
    {{ address_domain('email') }} as domain,
    country_code as country,
    cast([] as varchar[]) as merged_ids,
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
