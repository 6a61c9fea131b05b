-- Grain: one row per landed version of a line of a shipment.

{{ config(materialized='view') }}

{% set columns = [
    ('delivery_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('shipment_id', 'varchar'),
    ('order_key', 'varchar'),
    ('order_line_key', 'varchar'),
    ('warehouse_key', 'varchar'),
    ('is_cancelled', 'boolean'),
    ('vendor_status', 'varchar'),
    ('shipped_qty', 'decimal(18, 6)'),
    ('promised_date', 'date'),
    ('shipped_at', instant_type()),
    ('delivered_at', instant_type()),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('deliveries', columns, [
    'files',
    'odoo',
    'vtiger',
    'zoho',
]) }}
