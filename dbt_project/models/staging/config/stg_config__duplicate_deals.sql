-- Grain: one row per deal that a person declared a duplicate of another.

select
    deal_key,
    duplicate_of_deal_key
from {{ source('config', 'duplicate_deals') }}
