-- Grain: one row per domain whose people are ours.

select distinct lower(domain) as domain
from {{ source('config', 'own_domains') }}
where domain is not null
