-- Grain: one row per landed version of an order of a customer.

{{ config(materialized='view') }}

{% set columns = [
    ('order_key', 'varchar'),
    ('order_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('order_number', 'varchar'),
    ('source_deal_key', 'varchar'),
    ('quote_key', 'varchar'),
    ('source_company_key', 'varchar'),
    ('owner_id', 'varchar'),
    ('status', 'varchar'),
    ('vendor_status', 'varchar'),
    ('is_status_assumed', 'boolean'),
    ('currency_code', 'varchar'),
    ('net_amt', money_type()),
    ('tax_amt', money_type()),
    ('gross_amt', money_type()),
    ('promised_date', 'date'),
    ('ordered_at', instant_type()),
    ('cancelled_at', instant_type()),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('orders', columns, [
    'files',
    'odoo',
    'vtiger',
    'zoho',
]) }}
