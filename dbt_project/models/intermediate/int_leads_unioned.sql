-- Grain: one row per landed version of a lead of a CRM or file.

{% set columns = [
    ('lead_key', 'varchar'),
    ('lead_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('name', 'varchar'),
    ('email', 'varchar'),
    ('company_name', 'varchar'),
    ('source_company_key', 'varchar'),
    ('source_contact_key', 'varchar'),
    ('source_deal_key', 'varchar'),
    ('owner_id', 'varchar'),
    ('lead_stage', 'varchar'),
    ('source_channel', 'varchar'),
    ('disqualification_reason', 'varchar'),
    ('is_converted', 'boolean'),
    ('is_disqualified', 'boolean'),
    ('created_at', instant_type()),
    ('converted_at', instant_type()),
    ('updated_at', instant_type()),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('leads', columns, [
    'files',
    'hubspot',
    'odoo',
    'pipedrive',
    'salesforce',
    'vtiger',
    'zoho',
]) }}
