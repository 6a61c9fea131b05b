-- Grain: one row per stage x instant at which its pipeline was seen to change, as sources say.

{{ config(materialized='view') }}

{% set columns = [
    ('connection', 'varchar'),
    ('source_system', 'varchar'),
    ('pipeline_id', 'varchar'),
    ('pipeline_name', 'varchar'),
    ('pipeline_order', 'bigint'),
    ('is_pipeline_deleted', 'boolean'),
    ('stage_id', 'varchar'),
    ('stage_name', 'varchar'),
    ('stage_type', 'varchar'),
    ('display_order', 'bigint'),
    ('probability', 'decimal(9, 6)'),
    ('forecast_category', 'varchar'),
    ('rotten_days', 'bigint'),
    ('is_deleted', 'boolean'),
    ('seen_at', instant_type()),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('stages', columns, [
    'files',
    'hubspot',
    'odoo',
    'pipedrive',
    'salesforce',
    'vtiger',
    'zoho',
]) }}
