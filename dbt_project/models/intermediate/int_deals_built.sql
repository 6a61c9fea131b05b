-- Grain: one row per deal: from what its history was last built.
--
-- Written after the histories, and only when all of them were. The next build finds it as
-- source('state', 'deals_built'); one that is killed before it got here leaves none, and the
-- next computes every deal.
-- depends_on: {{ ref('int_deal_field_events') }}
-- depends_on: {{ ref('int_deal_versions') }}
-- depends_on: {{ ref('fct_deal_version') }}

select
    deal_key,
    fingerprint
from {{ ref('int_deal_inputs') }}
where fingerprint is not null
