-- Grain: one row per landed version of a quote of a CRM or file. Stripe's quotes belong to
-- billing and are linked there.

{% set columns = [
    ('quote_key', 'varchar'),
    ('quote_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('quote_number', 'varchar'),
    ('name', 'varchar'),
    ('source_deal_keys', 'varchar[]'),
    ('source_company_keys', 'varchar[]'),
    ('source_line_keys', 'varchar[]'),
    ('owner_id', 'varchar'),
    ('status', 'varchar'),
    ('vendor_status', 'varchar'),
    ('currency_code', 'varchar'),
    ('net_amt', money_type()),
    ('tax_amt', money_type()),
    ('gross_amt', money_type()),
    ('quote_date', 'date'),
    ('valid_until', 'date'),
    ('accepted_date', 'date'),
    ('created_at', instant_type()),
    ('updated_at', instant_type()),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('quotes', columns, [
    'chargebee',
    'files',
    'hubspot',
    'odoo',
    'quickbooks',
    'salesforce',
    'vtiger',
    'xero',
    'zoho',
]) }}
