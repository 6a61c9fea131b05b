-- Grain: one row per landed version of a Xero contact that is a customer; who only delivers to us
-- is none. An archived one still is the company of its invoices.

with contacts as (
    select
        *,
        change = 'merged' as is_merged
    from {{ ref('stg_xero__contacts') }}
)

select
    contact_key as company_key,
    contact_id as company_id,
    source_system,
    connection,
    contact_name as name,
    coalesce(
        {{ address_domain('email') }},
        nullif(regexp_extract(website, '^(?:[a-z]+://)?(?:www[.])?([^/:?#]+[.][^/:?#]+)', 1), '')
    ) as domain,
    case when regexp_matches(country, '^[A-Za-z]{2}$') then upper(country) end as country,
    cast([] as varchar[]) as merged_ids,
    merged_into_id,
    -- Where an integration writes its own id of the company.
    coalesce(contact_number, account_number) as crm_reference,
    case
        when is_merged then 'merged'
        when is_deleted then 'deleted'
        else 'upsert'
    end as change,
    is_deleted,
    source_updated_at as updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from contacts
where is_customer or not is_supplier
