-- Grain: one row per landed version of a case of after-sales service.

{{ config(materialized='view') }}

{% set columns = [
    ('ticket_key', 'varchar'),
    ('ticket_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('ticket_number', 'varchar'),
    ('source_company_key', 'varchar'),
    ('source_deal_key', 'varchar'),
    ('status', 'varchar'),
    ('vendor_status', 'varchar'),
    ('is_status_assumed', 'boolean'),
    ('severity', 'varchar'),
    ('n_reopened', 'bigint'),
    ('opened_at', instant_type()),
    ('first_response_at', instant_type()),
    ('solved_at', instant_type()),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('tickets', columns, [
    'files',
    'hubspot',
    'odoo',
    'salesforce',
    'vtiger',
    'zoho',
]) }}
