-- Grain: one row per company record in its newest version, merged-away ones included.

with records as (
    select *
    from {{ ref('int_companies_unioned') }}
    qualify
        row_number() over (
            partition by company_key order by observed_at desc, sync_id desc, position desc
        ) = 1
),

-- A record that the source no longer shows keeps its last content.
contents as (
    select *
    from {{ ref('int_companies_unioned') }}
    where change = 'upsert'
    qualify
        row_number() over (
            partition by company_key order by observed_at desc, sync_id desc, position desc
        ) = 1
),

final as (
    select
        contents.* exclude (is_deleted, change),
        records.is_deleted
    from contents
    inner join records on contents.company_key = records.company_key
)

select * from final
