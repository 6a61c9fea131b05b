-- Grain: one row per version of a rate that a source states, in one direction:
-- 1 unit of currency_code is rate_to_pivot units of pivot_currency_code.
-- The one place where a rate is inverted. preference: the lower wins; 0 the company's own file,
-- 1 a central bank, 2 and more the tables of CRMs.

{% set columns = [
    ('fx_rate_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('raw_version_id', 'varchar'),
    ('rate_type', 'varchar'),
    ('rate_source', 'varchar'),
    ('currency_code', 'varchar'),
    ('pivot_currency_code', 'varchar'),
    ('rate_to_pivot', 'decimal(38, 20)'),
    ('preference', 'bigint'),
    ('is_open_ended', 'boolean'),
    ('is_deleted', 'boolean'),
    ('effective_date', 'date'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('fx_rates', columns, [
    'files',
    'fx',
    'hubspot',
    'odoo',
    'quickbooks',
    'salesforce',
    'vtiger',
    'xero',
    'zoho',
]) }}
