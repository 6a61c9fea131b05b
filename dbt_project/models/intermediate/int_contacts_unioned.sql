-- Grain: one row per landed version of a person, over the CRM, exports and billing.

{% set columns = [
    ('contact_key', 'varchar'),
    ('contact_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('name', 'varchar'),
    ('email', 'varchar'),
    ('other_emails', 'varchar[]'),
    ('job_title', 'varchar'),
    ('company_id', 'varchar'),
    ('owner_id', 'varchar'),
    ('merged_ids', 'varchar[]'),
    ('merged_into_id', 'varchar'),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('created_at', instant_type()),
    ('updated_at', instant_type()),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('contacts', columns, [
    'chargebee',
    'files',
    'hubspot',
    'odoo',
    'pipedrive',
    'quickbooks',
    'salesforce',
    'vtiger',
    'xero',
    'zoho',
]) }}
