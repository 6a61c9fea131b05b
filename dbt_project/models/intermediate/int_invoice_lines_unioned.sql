-- Grain: one row per version of an invoice line that a source lists as a record of its own; net
-- after discounts and without tax. Stripe's lines hang on their invoice's version.

{{ config(materialized='view') }}

{% set columns = [
    ('invoice_line_key', 'varchar'),
    ('invoice_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('raw_version_id', 'varchar'),
    ('line_kind', 'varchar'),
    ('line_description', 'varchar'),
    ('product_key', 'varchar'),
    ('deal_reference', 'varchar'),
    ('quantity', 'decimal(18, 6)'),
    ('unit_price_amt', 'decimal(38, 12)'),
    ('net_amt', money_type()),
    ('tax_amt', money_type()),
    ('discount_amt', money_type()),
    ('is_proration', 'boolean'),
    ('is_deleted', 'boolean'),
    ('service_start', 'date'),
    ('service_end', 'date'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('invoice_lines', columns, [
    'chargebee',
    'files',
    'odoo',
    'quickbooks',
    'vtiger',
    'xero',
    'zoho',
]) }}
