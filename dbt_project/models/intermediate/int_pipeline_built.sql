-- Grain: one row per deal: from what its movement and its places in the funnels were last built.
--
-- Written after these, and only when all of them were. The next build finds it as
-- source('state', 'pipeline_built'), as it finds int_deals_built.
-- depends_on: {{ ref('int_pipeline_versions') }}
-- depends_on: {{ ref('int_pipeline_balances') }}
-- depends_on: {{ ref('fct_pipeline_movement') }}
-- depends_on: {{ ref('int_funnel_positions') }}

select
    deal_key,
    pipeline_fingerprint
from {{ ref('int_pipeline_inputs') }}
where pipeline_fingerprint is not null
