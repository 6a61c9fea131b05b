-- Grain: one row per landed version of a line of a quote or deal.

{{ config(materialized='view') }}

{% set columns = [
    ('quote_line_key', 'varchar'),
    ('line_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('stated_quote_key', 'varchar'),
    ('stated_deal_key', 'varchar'),
    ('product_key', 'varchar'),
    ('product_name', 'varchar'),
    ('sku', 'varchar'),
    ('billing_interval', 'varchar'),
    ('currency_code', 'varchar'),
    ('quantity', 'decimal(18, 6)'),
    ('unit_price_amt', 'decimal(38, 12)'),
    ('discount_amt', money_type()),
    ('net_amt', money_type()),
    ('tax_amt', money_type()),
    ('term_months', 'bigint'),
    ('service_start', 'date'),
    ('service_end', 'date'),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('quote_lines', columns, [
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
