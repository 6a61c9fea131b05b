-- Grain: one row per landed version of a person, over the CRM, exports and billing.

with nothing as (
    select
        cast(null as varchar) as contact_key,
        cast(null as varchar) as contact_id,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as name,
        cast(null as varchar) as email,
        cast(null as varchar[]) as other_emails,
        cast(null as varchar) as job_title,
        cast(null as varchar) as company_id,
        cast(null as varchar) as owner_id,
        cast(null as varchar[]) as merged_ids,
        cast(null as varchar) as merged_into_id,
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
        contact_key,
        contact_id,
        'hubspot' as source_system,
        connection,
        nullif(trim(concat_ws(' ', first_name, last_name)), '') as name,
        email,
        list_filter(
            string_split_regex(coalesce(additional_emails, ''), '[;, ]+'), lambda one: one <> ''
        ) as other_emails,
        job_title,
        associated_company_id as company_id,
        owner_id,
        string_split_regex(coalesce(merged_ids, ''), '[;, ]+') as merged_ids,
        cast(null as varchar) as merged_into_id,
        change,
        is_deleted,
        coalesce(created_at, record_created_at) as created_at,
        updated_at,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_hubspot__contacts') }}
    where change <> 'merged'
{% endif %}
{% if has_source('files') %}
    union all
    select
        contact_key,
        contact_id,
        'files' as source_system,
        connection,
        coalesce(name, nullif(trim(concat_ws(' ', first_name, last_name)), '')) as name,
        email,
        other_emails,
        job_title,
        company_id,
        cast(null as varchar) as owner_id,
        cast([] as varchar[]) as merged_ids,
        merged_into_id,
        change,
        is_deleted,
        created_at,
        updated_at,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_files__contacts') }}
{% endif %}
