-- Grain: one row per version of a line of a credit note that a source states apart from Stripe,
-- whose lines hang on their note's version; amounts positive.

{{ config(materialized='view') }}

{% set columns = [
    ('credit_note_line_key', 'varchar'),
    ('credit_note_key', 'varchar'),
    ('invoice_line_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('raw_version_id', 'varchar'),
    ('line_description', 'varchar'),
    ('net_amt', money_type()),
    ('tax_amt', money_type()),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('credit_note_lines', columns, [
    'chargebee',
    'quickbooks',
    'xero',
]) }}
