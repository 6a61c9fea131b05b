-- Grain: one row per version of a customer. Customers of a test clock are no customers.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'name': 'VARCHAR',
            'email': 'VARCHAR',
            'address': {'country': 'VARCHAR'},
            'metadata': 'JSON',
            'balance': 'BIGINT',
            'currency': 'VARCHAR',
            'discount': 'JSON',
            'created': 'BIGINT',
            'test_clock': 'VARCHAR',
        }) }} as body
    from {{ raw_source('stripe__customers') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as customer_key,
        versions.record_id as customer_id,
        versions.body.name as customer_name,
        lower(nullif(trim(versions.body.email), '')) as email,
        upper(versions.body.address.country) as country_code,
        coalesce(
            nullif(trim(json_extract_string(versions.body.metadata, '$.crm_company_id')), ''),
            nullif(trim(json_extract_string(versions.body.metadata, '$.hubspot_company_id')), ''),
            nullif(trim(json_extract_string(versions.body.metadata, '$.company_id')), '')
        ) as company_reference,
        upper(versions.body.currency) as currency_code,
        versions.body.balance as balance_minor,
        versions.body.discount as discount,
        {{ stripe_instant('versions.body.created') }} as created_at,
        versions.raw_version_id,
        'stripe' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
    where versions.body.test_clock is null
)

select * from final
