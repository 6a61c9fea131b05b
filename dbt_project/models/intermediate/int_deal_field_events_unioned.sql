-- Grain: one row per deal, field, instant and value that a source's own history tells.
--
-- Each lane tells a history whole: with what held from the deal's creation on, and each event
-- once. field: stage, pipeline, amount, expected_close_date, owner, currency_code. value is
-- text: ids, ISO dates in the company zone, plain decimals; '' is "emptied". place orders the
-- events of one instant. is_told_by_deal: the history stands in the deal's own landed versions,
-- so that it changes with them only; a lane that reads other tables leaves it out.

{{ config(materialized='view') }}

{% set columns = [
    ('deal_key', 'varchar'),
    ('field', 'varchar'),
    ('value', 'varchar'),
    ('old_value', 'varchar'),
    ('happened_at', instant_type()),
    ('changed_by', 'varchar'),
    ('change_source', 'varchar'),
    ('change_precision', 'varchar'),
    ('place', 'bigint'),
    ('uncertainty_seconds', 'bigint'),
    ('seen_at', instant_type()),
    ('raw_version_id', 'varchar'),
    ('is_told_by_deal', 'boolean'),
] %}

{{ union_lanes('deal_field_events', columns, [
    'files',
    'hubspot',
    'odoo',
    'pipedrive',
    'salesforce',
    'zoho',
]) }}
