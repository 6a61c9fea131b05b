-- Grain: one row per merged-away record: a deal, a company or a contact.

with merged as (
    select
        record_type,
        loser_key,
        survivor_key,
        merged_at,
        'vendor' as method,
        is_cycle
    from {{ ref('int_record_survivors') }}
    union all
    select
        'deal' as record_type,
        deal_key as loser_key,
        survivor_deal_key as survivor_key,
        merged_at,
        'vendor' as method,
        is_cycle
    from {{ ref('int_deal_survivors') }}
    union all
    select
        'contact' as record_type,
        record_key as loser_key,
        contact_key as survivor_key,
        cast(null as {{ instant_type() }}) as merged_at,
        'exact_email' as method,
        false as is_cycle
    from {{ ref('int_contact_identities') }}
    where
        record_kind = 'contact'
        and method = 'exact_email'
        and record_key not in (
            select loser_key from {{ ref('int_record_survivors') }}
            where record_type = 'contact'
        )
),

final as (
    select
        concat(record_type, ':', loser_key) as alias_key,
        record_type,
        loser_key,
        survivor_key,
        method,
        is_cycle,
        merged_at
    from merged
)

select * from final
