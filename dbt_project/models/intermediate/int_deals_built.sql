-- Grain: one row per deal: from what its history was last built.
--
-- Written after the histories, and only when all of them were. The next build finds it as
-- source('state', 'deals_built'); one that is killed before it got here leaves none, and the
-- next computes every deal.
-- depends_on: {{ ref('int_deal_field_events') }}
-- depends_on: {{ ref('int_deal_versions') }}
-- depends_on: {{ ref('int_deal_edits') }}
-- depends_on: {{ ref('fct_deal_version') }}
-- depends_on: {{ ref('fct_deal_stage') }}
-- depends_on: {{ ref('fct_deal_change') }}

select
    inputs.deal_key,
    inputs.fingerprint,
    retold.change_fingerprint
from {{ ref('int_deal_inputs') }} as inputs
inner join {{ ref('int_deals_retold') }} as retold
    on inputs.deal_key = retold.deal_key
where inputs.fingerprint is not null
