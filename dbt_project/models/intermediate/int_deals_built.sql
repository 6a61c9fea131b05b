-- Grain: one row per deal: from what its history was last built.
--
-- Written after the histories, and only when all of them were. A build that ends before leaves
-- the old rows, and the next one computes the same deals again.
-- depends_on: {{ ref('int_deal_field_events') }}
-- depends_on: {{ ref('int_deal_versions') }}
-- depends_on: {{ ref('fct_deal_version') }}

{{ config(schema='state', alias='deals_built') }}

select
    deal_key,
    fingerprint
from {{ ref('int_deal_inputs') }}
where fingerprint is not null
