-- Grain: one row per message, address and role.

with sightings as (
    select
        message_id,
        max(from_address) as from_address,
        max_by(to_addresses, len(to_addresses)) as to_addresses,
        max_by(cc_addresses, len(cc_addresses)) as cc_addresses,
        max_by(bcc_addresses, len(bcc_addresses)) as bcc_addresses
    from {{ ref('int_email_sightings') }}
    group by message_id
),

named as (
    select
        message_id,
        'from' as role,
        from_address as address
    from sightings
    union
    select
        message_id,
        'to' as role,
        unnest(to_addresses) as address
    from sightings
    union
    select
        message_id,
        'cc' as role,
        unnest(cc_addresses) as address
    from sightings
    union
    select
        message_id,
        'bcc' as role,
        unnest(bcc_addresses) as address
    from sightings
),

final as (
    select
        named.message_id,
        named.role,
        lower(named.address) as address,
        {{ address_identity('named.address') }} as address_identity,
        {{ address_domain('named.address') }} as domain,
        own.domain is not null as is_own
    from named
    left join {{ ref('int_own_addresses') }} as own
        on {{ address_domain('named.address') }} = own.domain
    where strpos(named.address, '@') > 1
)

select * from final
