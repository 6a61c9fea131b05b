-- Grain: one row per line item: the HubSpot deal that it is associated with.

select
    line_key,
    min(deal_key) as deal_key
from (
    select deal_key, unnest(line_item_keys) as line_key
    from (
        select * from {{ ref('stg_hubspot__deal_associations') }}
        qualify row_number() over (
            partition by deal_key order by observed_at desc, sync_id desc, position desc
        ) = 1
    )
)
group by line_key
