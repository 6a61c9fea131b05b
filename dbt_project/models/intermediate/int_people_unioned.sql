-- Grain: one row per source x connection x id of a person x landed version.
--
-- The roster (files) says since when what holds of a person; the CRM's owners say only what
-- holds now, so that each landed version of theirs starts when we saw it.

with typed_nothing as (
    select
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as owner_id,
        cast(null as varchar) as record_key,
        cast(null as varchar) as email,
        cast(null as varchar) as name,
        cast(null as varchar) as team_key,
        cast(null as varchar) as manager_id,
        cast(null as varchar) as manager_email,
        cast(null as varchar) as role,
        cast(null as boolean) as is_active,
        cast(null as boolean) as quota_carrying,
        cast(null as boolean) as is_deleted,
        cast(null as date) as hired_on,
        cast(null as date) as valid_from_date,
        cast(null as date) as valid_to_date,
        cast(null as timestamptz) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position,
        cast(null as varchar) as raw_version_id
    where false
)

{% if has_source('files') %}
    ,
    roster as (
        select
            'files' as source_system,
            connection,
            user_id as owner_id,
            roster_key as record_key,
            email,
            name,
            team as team_key,
            manager_id,
            manager_email,
            role,
            is_active,
            quota_carrying,
            is_deleted,
            hired_on,
            valid_from_date,
            valid_to_date,
            observed_at,
            sync_id,
            position,
            raw_version_id
        from {{ ref('stg_files__users') }}
    )
{% endif %}

{% if has_source('hubspot') %}
    ,
    owners as (
        select
            'hubspot' as source_system,
            connection,
            owner_id,
            owner_key as record_key,
            email,
            nullif(trim(concat_ws(' ', first_name, last_name)), '') as name,
            coalesce(
                list_extract(list_filter(teams, lambda team: team.primary), 1).name,
                list_extract(teams, 1).name
            ) as team_key,
            null as manager_id,
            null as manager_email,
            null as role,
            is_active,
            null as quota_carrying,
            -- An archived owner is a person who left, not one who never was.
            false as is_deleted,
            null as hired_on,
            null as valid_from_date,
            null as valid_to_date,
            observed_at,
            sync_id,
            position,
            raw_version_id
        from {{ ref('stg_hubspot__owners') }}
    )
{% endif %},

final as (
    select * from typed_nothing
    {% if has_source('files') %}
        union all
        select * from roster
    {% endif %}
    {% if has_source('hubspot') %}
        union all
        select * from owners
    {% endif %}
)

select * from final
