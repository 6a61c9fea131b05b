-- Grain: one row per landed version of a company, over all sources.
-- Customers of a billing system are companies too; those that a CRM already knows are
-- recognised further down, by reference or by domain.

{% set columns = [
    ('company_key', 'varchar'),
    ('company_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('name', 'varchar'),
    ('domain', 'varchar'),
    ('industry', 'varchar'),
    ('country', 'varchar'),
    ('owner_id', 'varchar'),
    ('parent_company_id', 'varchar'),
    ('merged_ids', 'varchar[]'),
    ('merged_into_id', 'varchar'),
    ('crm_reference', 'varchar'),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('created_at', instant_type()),
    ('updated_at', instant_type()),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('companies', columns, [
    'chargebee',
    'files',
    'hubspot',
    'odoo',
    'pipedrive',
    'quickbooks',
    'salesforce',
    'stripe',
    'vtiger',
    'xero',
    'zoho',
]) }}
