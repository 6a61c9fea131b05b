-- Grain: one row per landed version of what was paid or credited of a supplier's invoice, in the bill's currency.

{{ config(materialized='view') }}

{% set columns = [
    ('bill_payment_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('bill_key', 'varchar'),
    ('kind', 'varchar'),
    ('currency_code', 'varchar'),
    ('paid_amt', money_type()),
    ('paid_date', 'date'),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('bill_payments', columns, [
    'files',
    'quickbooks',
    'xero',
]) }}
