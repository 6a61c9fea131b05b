-- Grain: one row per deal: from what its movement was last built.
--
-- Written after the movement, and only when all of it was. The next build finds it as
-- source('state', 'pipeline_built'), as it finds int_deals_built.
-- depends_on: {{ ref('int_pipeline_versions') }}
-- depends_on: {{ ref('int_pipeline_balances') }}
-- depends_on: {{ ref('fct_pipeline_movement') }}

select
    deal_key,
    movement_fingerprint
from {{ ref('int_pipeline_inputs') }}
where movement_fingerprint is not null
