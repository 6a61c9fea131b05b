-- Grain: one row per contact record or mail address with the person it stands for.
--
-- Vendor merges come first; then records that share one exact address are one person.
-- Addresses that several people read (info@) join nobody. An address that no record knows
-- and that wrote or was written to is a person of its own, keyed by the address.

with records as (
    select
        contacts.contact_key,
        coalesce(survivors.survivor_key, contacts.contact_key) as vendor_key,
        contacts.source_system,
        contacts.created_at,
        contacts.is_deleted,
        {{ address_identity('contacts.email') }} as address_identity
    from {{ ref('int_contacts_current') }} as contacts
    left join {{ ref('int_record_survivors') }} as survivors
        on contacts.contact_key = survivors.loser_key and survivors.record_type = 'contact'
),

known_as as (
    select
        vendor_key,
        address_identity
    from records
    where address_identity is not null
    union
    select
        coalesce(survivors.survivor_key, contacts.contact_key) as vendor_key,
        {{ address_identity('one_address') }} as address_identity
    from (
        select
            contact_key,
            unnest(other_emails) as one_address
        from {{ ref('int_contacts_current') }}
    ) as contacts
    left join {{ ref('int_record_survivors') }} as survivors
        on contacts.contact_key = survivors.loser_key and survivors.record_type = 'contact'
),

ranked as (
    select
        known_as.address_identity,
        known_as.vendor_key,
        row_number() over (
            partition by known_as.address_identity
            order by
                coalesce(first_records.is_deleted, true),
                first_records.source_system <> 'hubspot',
                first_records.created_at nulls last,
                known_as.vendor_key
        ) as place
    from known_as
    left join records as first_records
        on known_as.vendor_key = first_records.contact_key
    where split_part(known_as.address_identity, '@', 1) not in (
        select local_part from {{ ref('role_local_parts') }}
    )
),

by_address as (
    select
        address_identity,
        vendor_key as contact_key
    from ranked
    where place = 1
),

from_records as (
    select
        records.contact_key as record_key,
        'contact' as record_kind,
        coalesce(by_address.contact_key, records.vendor_key) as contact_key,
        case
            when
                by_address.contact_key is not null
                and by_address.contact_key <> records.vendor_key
                then 'exact_email'
            when records.vendor_key <> records.contact_key then 'vendor'
            else 'itself'
        end as method
    from records
    left join by_address on records.address_identity = by_address.address_identity
),

from_addresses as (
    select
        participants.address_identity as record_key,
        'address' as record_kind,
        coalesce(
            min(by_address.contact_key), concat('email:', participants.address_identity)
        ) as contact_key,
        case when min(by_address.contact_key) is null then 'itself' else 'exact_email' end
            as method
    from {{ ref('int_email_participants') }} as participants
    left join by_address on participants.address_identity = by_address.address_identity
    where not participants.is_own
    group by participants.address_identity
),

final as (
    select * from from_records
    union all
    select * from from_addresses
    union all
    -- Addresses of records that no message names: callers link by address all the same.
    select
        address_identity as record_key,
        'address' as record_kind,
        contact_key,
        'exact_email' as method
    from by_address
    where address_identity not in (select record_key from from_addresses)
)

select * from final
