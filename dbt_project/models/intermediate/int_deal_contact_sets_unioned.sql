-- Grain: one row per landed set of the contacts of a deal, for sources that show whole sets.

{{ config(materialized='view') }}

{% set columns = [
    ('deal_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('members', 'struct(key varchar, labels varchar[], is_primary boolean)[]'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('deal_contacts', columns, [
    'hubspot',
    'salesforce',
    'zoho',
]) }}
