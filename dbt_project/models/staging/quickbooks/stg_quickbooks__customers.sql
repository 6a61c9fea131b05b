-- Grain: one row per version of a customer, or of a job below one.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'DisplayName': 'VARCHAR',
            'CompanyName': 'VARCHAR',
            'GivenName': 'VARCHAR',
            'FamilyName': 'VARCHAR',
            'PrimaryEmailAddr': {'Address': 'VARCHAR'},
            'WebAddr': {'URI': 'VARCHAR'},
            'BillAddr': {'Country': 'VARCHAR'},
            'ParentRef': {'value': 'VARCHAR'},
        }) }} as body
    from {{ raw_source('quickbooks__customers') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as customer_key,
        versions.record_id as customer_id,
        coalesce(
            nullif(trim(versions.body.CompanyName), ''), nullif(trim(versions.body.DisplayName), '')
        ) as customer_name,
        nullif(trim(concat_ws(
            ' ', nullif(trim(versions.body.GivenName), ''),
            nullif(trim(versions.body.FamilyName), '')
        )), '') as person_name,
        {{ quickbooks_addresses('versions.body.PrimaryEmailAddr.Address') }} as emails,
        {{ quickbooks_addresses('versions.body.PrimaryEmailAddr.Address') }}[1] as email,
        lower(nullif(trim(versions.body.WebAddr.URI), '')) as website,
        nullif(trim(versions.body.BillAddr.Country), '') as country,
        nullif(versions.body.ParentRef.value, '') as parent_id,
        versions.payload is not null as has_content,
        versions.raw_version_id,
        'quickbooks' as source_system,
        versions.connection,
        versions.change,
        versions.change not in ('upsert', 'archived') as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
