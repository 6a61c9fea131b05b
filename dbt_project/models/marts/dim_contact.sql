-- Grain: one row per surviving contact and version of its own record.
-- People whom only e-mail knows have one version, from their first message on.

with identities as (
    select * from {{ ref('int_contact_identities') }}
),

versions as (
    select
        *,
        row_number() over (
            partition by contact_key order by observed_at, sync_id, position
        ) as version_no
    from {{ ref('int_contacts_unioned') }}
    where change = 'upsert'
),

survivors as (
    select distinct contact_key
    from identities
    where record_kind = 'contact'
),

known_addresses as (
    select
        identities.contact_key,
        list_sort(list(distinct lower(addresses.email))) as emails
    from identities
    inner join (
        select
            contact_key,
            email
        from {{ ref('int_contacts_unioned') }}
        where email is not null
        union
        select
            contact_key,
            unnest(other_emails) as email
        from {{ ref('int_contacts_unioned') }}
    ) as addresses
        on identities.record_key = addresses.contact_key and identities.record_kind = 'contact'
    group by identities.contact_key
),

counts as (
    select
        contact_key,
        count(*) as n_source_records
    from identities
    where record_kind = 'contact'
    group by contact_key
),

companies as (
    select
        record_key,
        company_key
    from {{ ref('int_company_identities') }}
),

from_records as (
    select
        versions.contact_key,
        versions.name,
        versions.job_title,
        companies.company_key,
        versions.source_system,
        versions.connection,
        versions.raw_version_id,
        versions.is_deleted,
        versions.email as primary_email,
        case
            when versions.version_no = 1
                then least(coalesce(versions.created_at, versions.observed_at), versions.observed_at)
            else coalesce(versions.updated_at, versions.observed_at)
        end as valid_from,
        versions.version_no
    from versions
    inner join survivors on versions.contact_key = survivors.contact_key
    left join companies
        on concat(versions.connection, ':', versions.company_id) = companies.record_key
),

bounded as (
    select
        *,
        lead(valid_from) over (partition by contact_key order by version_no) as next_from
    from from_records
    -- Two versions of one instant: the later one holds from then on.
    qualify
        row_number() over (
            partition by contact_key, valid_from order by version_no desc
        ) = 1
),

from_mail as (
    select
        identities.contact_key,
        min(people.address) as primary_email,
        min(people.domain) as domain,
        min(messages.sent_at) as valid_from,
        min_by(messages.source_system, messages.sent_at) as source_system,
        min_by(messages.connection, messages.sent_at) as connection,
        min_by(messages.raw_version_id, messages.sent_at) as raw_version_id
    from identities
    inner join {{ ref('int_email_participants') }} as people
        on identities.record_key = people.address_identity
    inner join {{ ref('int_emails_directed') }} as messages
        on people.message_id = messages.message_id
    where
        identities.record_kind = 'address'
        and identities.contact_key = concat('email:', identities.record_key)
        and not people.is_own
    group by identities.contact_key
),

united as (
    select
        bounded.contact_key,
        bounded.company_key,
        bounded.name,
        bounded.job_title,
        bounded.primary_email,
        coalesce(known_addresses.emails, cast([] as varchar[])) as emails,
        {{ address_domain('bounded.primary_email') }} as domain,
        'record' as origin,
        cast(coalesce(counts.n_source_records, 1) as bigint) as n_source_records,
        bounded.next_from is null as is_current,
        bounded.valid_from,
        bounded.next_from as valid_to,
        bounded.is_deleted,
        bounded.source_system,
        bounded.connection,
        bounded.raw_version_id
    from bounded
    left join known_addresses on bounded.contact_key = known_addresses.contact_key
    left join counts on bounded.contact_key = counts.contact_key
    union all
    select
        contact_key,
        cast(null as varchar) as company_key,
        cast(null as varchar) as name,
        cast(null as varchar) as job_title,
        primary_email,
        [primary_email] as emails,
        domain,
        'email' as origin,
        cast(0 as bigint) as n_source_records,
        true as is_current,
        valid_from,
        cast(null as {{ instant_type() }}) as valid_to,
        false as is_deleted,
        source_system,
        connection,
        raw_version_id
    from from_mail
),

final as (
    select
        concat(contact_key, '@', {{ microseconds_of('valid_from') }}) as contact_version_key,
        *
    from united
)

select * from final
