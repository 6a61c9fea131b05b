-- Grain: one row per landed version of a QuickBooks customer; a job is a company below its
-- customer. An inactive one still is the company of its invoices.

select
    customer_key as company_key,
    customer_id as company_id,
    source_system,
    connection,
    customer_name as name,
    coalesce(
        {{ address_domain('email') }},
        nullif(regexp_extract(website, '^(?:[a-z]+://)?(?:www[.])?([^/:?#]+[.][^/:?#]+)', 1), '')
    ) as domain,
    case when regexp_matches(country, '^[A-Za-z]{2}$') then upper(country) end as country,
    parent_id as parent_company_id,
    cast([] as varchar[]) as merged_ids,
    case when is_deleted then 'deleted' else 'upsert' end as change,
    is_deleted,
    source_updated_at as updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_quickbooks__customers') }}
