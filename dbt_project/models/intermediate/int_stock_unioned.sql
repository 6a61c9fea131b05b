-- Grain: one row per landed version of a statement of the stock: of a thing counted (stock_item_key) on a day, valid until the next.

{{ config(materialized='view') }}

{% set columns = [
    ('stock_record_key', 'varchar'),
    ('stock_item_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('product_key', 'varchar'),
    ('product_name', 'varchar'),
    ('warehouse_key', 'varchar'),
    ('on_hand_qty', 'decimal(18, 6)'),
    ('reserved_qty', 'decimal(18, 6)'),
    ('inbound_qty', 'decimal(18, 6)'),
    ('stock_date', 'date'),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('stock', columns, [
    'files',
    'odoo',
    'vtiger',
    'zoho',
]) }}
