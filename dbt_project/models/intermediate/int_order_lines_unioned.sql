-- Grain: one row per landed version of a line of an order.

{{ config(materialized='view') }}

{% set columns = [
    ('order_line_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('order_key', 'varchar'),
    ('line_id', 'varchar'),
    ('product_key', 'varchar'),
    ('product_name', 'varchar'),
    ('sku', 'varchar'),
    ('quantity', 'decimal(18, 6)'),
    ('unit_price_amt', 'decimal(38, 12)'),
    ('net_amt', money_type()),
    ('is_deliverable', 'boolean'),
    ('promised_date', 'date'),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('order_lines', columns, [
    'files',
    'odoo',
    'vtiger',
    'zoho',
]) }}
