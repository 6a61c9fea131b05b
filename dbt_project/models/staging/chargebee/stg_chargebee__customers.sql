-- Grain: one row per version of a customer, its contacts as a list.

{% set structure = {
    'company': 'VARCHAR',
    'first_name': 'VARCHAR',
    'last_name': 'VARCHAR',
    'email': 'VARCHAR',
    'billing_address': {'country': 'VARCHAR', 'company': 'VARCHAR'},
    'relationship': {'parent_id': 'VARCHAR', 'invoice_owner_id': 'VARCHAR'},
    'contacts': [{
        'id': 'VARCHAR',
        'first_name': 'VARCHAR',
        'last_name': 'VARCHAR',
        'email': 'VARCHAR',
        'label': 'VARCHAR',
    }],
    'meta_data': 'JSON',
    'cf_crm_company_id': 'VARCHAR',
    'cf_hubspot_company_id': 'VARCHAR',
    'cf_company_id': 'VARCHAR',
    'created_at': 'BIGINT',
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__customers') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as customer_key,
        versions.record_id as customer_id,
        coalesce(
            nullif(trim(versions.body.company), ''),
            nullif(trim(versions.body.billing_address.company), '')
        ) as company_name,
        {{ chargebee_person('versions.body.first_name', 'versions.body.last_name') }}
            as person_name,
        lower(nullif(trim(versions.body.email), '')) as email,
        upper(nullif(trim(versions.body.billing_address.country), '')) as country_code,
        nullif(versions.body.relationship.parent_id, '') as parent_id,
        coalesce(
            nullif(trim(versions.body.cf_crm_company_id), ''),
            nullif(trim(versions.body.cf_hubspot_company_id), ''),
            nullif(trim(versions.body.cf_company_id), ''),
            nullif(trim(json_extract_string(versions.body.meta_data, '$.crm_company_id')), ''),
            nullif(trim(json_extract_string(versions.body.meta_data, '$.hubspot_company_id')), ''),
            nullif(trim(json_extract_string(versions.body.meta_data, '$.company_id')), '')
        ) as company_reference,
        versions.body.contacts as contacts,
        {{ chargebee_instant('versions.body.created_at') }} as created_at,
        versions.raw_version_id,
        'chargebee' as source_system,
        versions.connection,
        versions.change,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
