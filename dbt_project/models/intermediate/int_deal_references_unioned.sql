-- Grain: one row per deal that names documents of the billing side: the newest word of each.

{{ config(materialized='view') }}

{% set columns = [
    ('deal_key', 'varchar'),
    ('po_number', 'varchar'),
    ('quote_reference', 'varchar'),
    ('invoice_reference', 'varchar'),
    ('subscription_reference', 'varchar'),
] %}

{{ union_lanes('deal_references', columns, [
    'files',
    'hubspot',
]) }}
