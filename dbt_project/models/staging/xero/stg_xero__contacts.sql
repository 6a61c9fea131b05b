-- Grain: one row per version of a contact: a customer, a supplier or both.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'Name': 'VARCHAR',
            'ContactNumber': 'VARCHAR',
            'AccountNumber': 'VARCHAR',
            'ContactStatus': 'VARCHAR',
            'FirstName': 'VARCHAR',
            'LastName': 'VARCHAR',
            'EmailAddress': 'VARCHAR',
            'Website': 'VARCHAR',
            'IsCustomer': 'BOOLEAN',
            'IsSupplier': 'BOOLEAN',
            'MergedToContactID': 'VARCHAR',
            'Addresses': [{'AddressType': 'VARCHAR', 'Country': 'VARCHAR'}],
            'ContactPersons': [{
                'FirstName': 'VARCHAR',
                'LastName': 'VARCHAR',
                'EmailAddress': 'VARCHAR',
            }],
        }) }} as body
    from {{ raw_source('xero__contacts') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as contact_key,
        versions.record_id as contact_id,
        nullif(trim(versions.body.Name), '') as contact_name,
        nullif(trim(versions.body.ContactNumber), '') as contact_number,
        nullif(trim(versions.body.AccountNumber), '') as account_number,
        versions.body.ContactStatus as status,
        nullif(trim(concat_ws(
            ' ', nullif(trim(versions.body.FirstName), ''), nullif(trim(versions.body.LastName), '')
        )), '') as person_name,
        lower(nullif(trim(versions.body.EmailAddress), '')) as email,
        lower(nullif(trim(versions.body.Website), '')) as website,
        coalesce(versions.body.IsCustomer, false) as is_customer,
        coalesce(versions.body.IsSupplier, false) as is_supplier,
        nullif(versions.body.MergedToContactID, '') as merged_into_id,
        list_filter(
            list_transform(versions.body.Addresses, lambda one: nullif(trim(one.Country), '')),
            lambda one: one is not null
        )[1] as country,
        versions.body.ContactPersons as persons,
        versions.raw_version_id,
        'xero' as source_system,
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
