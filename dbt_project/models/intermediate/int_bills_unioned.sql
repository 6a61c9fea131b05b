-- Grain: one row per landed version of a supplier's invoice.

{{ config(materialized='view') }}

{% set columns = [
    ('bill_key', 'varchar'),
    ('bill_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('bill_number', 'varchar'),
    ('supplier_key', 'varchar'),
    ('supplier_name', 'varchar'),
    ('category', 'varchar'),
    ('status', 'varchar'),
    ('currency_code', 'varchar'),
    ('net_amt', money_type()),
    ('tax_amt', money_type()),
    ('gross_amt', money_type()),
    ('source_balance_amt', money_type()),
    ('document_rate_to_rc', 'decimal(18, 9)'),
    ('issue_date', 'date'),
    ('due_date', 'date'),
    ('voided_date', 'date'),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('bills', columns, [
    'files',
    'quickbooks',
    'xero',
]) }}
