-- Grain: one row per landed version of a Pipedrive organization.
--
-- An organization without a website is known by the mail domain of its people, where that is
-- one and nobody's free mail.

with addresses as (
    select
        connection,
        organization_id,
        unnest(emails).address as address
    from (
        select
            connection,
            person_id,
            arg_max(organization_id, (observed_at, sync_id, position)) as organization_id,
            arg_max(emails, (observed_at, sync_id, position)) as emails
        from {{ ref('stg_pipedrive__persons') }}
        where has_content
        group by connection, person_id
    ) as persons
    where organization_id is not null
),

mail_domains as (
    select
        connection,
        organization_id,
        min({{ address_domain('address') }}) as domain
    from addresses
    where
        {{ address_domain('address') }} not in (
            select free_mail_domains.domain
            from {{ ref('free_mail_domains') }} as free_mail_domains
        )
    group by connection, organization_id
    having count(distinct {{ address_domain('address') }}) = 1
)

select
    organizations.organization_key as company_key,
    organizations.organization_id as company_id,
    'pipedrive' as source_system,
    organizations.connection,
    organizations.organization_name as name,
    coalesce(
        nullif(
            regexp_extract(
                lower(organizations.website),
                '^(?:[a-z]+://)?(?:www[.])?([^/:?#]+[.][^/:?#]+)',
                1
            ),
            ''
        ),
        mail_domains.domain
    ) as domain,
    organizations.industry_id as industry,
    organizations.country,
    organizations.owner_id,
    organizations.survivor_id as merged_into_id,
    organizations.change,
    organizations.is_deleted,
    organizations.created_at,
    organizations.updated_at,
    organizations.observed_at,
    organizations.sync_id,
    organizations.position,
    organizations.raw_version_id
from {{ ref('stg_pipedrive__organizations') }} as organizations
left join mail_domains
    on
        organizations.connection = mail_domains.connection
        and organizations.organization_id = mail_domains.organization_id
