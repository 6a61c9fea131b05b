-- Grain: one row per landed version of a Zoho deal: the account that it names, or none.

select
    deal_key,
    'zoho' as source_system,
    connection,
    case
        when company_id is null then []
        else [{
            'key': concat(connection, ':', company_id),
            'labels': cast([] as varchar[]),
            'is_primary': true
        }]
    end as members,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_zoho__deals') }}
where has_content
