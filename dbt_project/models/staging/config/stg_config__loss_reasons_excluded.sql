-- Grain: one row per loss reason that is no loss (duplicates, tests).

select distinct lower(trim(loss_reason)) as loss_reason
from {{ source('config', 'loss_reasons_excluded') }}
