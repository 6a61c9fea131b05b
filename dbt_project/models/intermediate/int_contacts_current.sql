-- Grain: one row per contact record in its newest version, merged-away ones included.

with records as (
    select *
    from {{ ref('int_contacts_unioned') }}
    qualify
        row_number() over (
            partition by contact_key order by observed_at desc, sync_id desc, position desc
        ) = 1
),

-- A record that the source no longer shows keeps its last content.
contents as (
    select *
    from {{ ref('int_contacts_unioned') }}
    where change = 'upsert'
    qualify
        row_number() over (
            partition by contact_key order by observed_at desc, sync_id desc, position desc
        ) = 1
),

final as (
    select
        contents.* exclude (is_deleted, change),
        records.is_deleted
    from contents
    inner join records on contents.contact_key = records.contact_key
)

select * from final
