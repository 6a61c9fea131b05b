-- Grain: one row per rule that says which deals are no deals.

select
    field,
    pattern
from {{ source('config', 'deal_exclusions') }}
