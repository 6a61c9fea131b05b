-- Grain: one row per version of a credit note, of every source; amounts positive, in major
-- units. The four parts say what the credit did: lowered what was due, was refunded, went to
-- the customer's balance, or was settled outside; they add up to the gross amount.

{% set columns = [
    ('credit_note_key', 'varchar'),
    ('invoice_key', 'varchar'),
    ('customer_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('raw_version_id', 'varchar'),
    ('credit_note_number', 'varchar'),
    ('status', 'varchar'),
    ('reason', 'varchar'),
    ('currency_code', 'varchar'),
    ('refund_keys', 'varchar[]'),
    ('net_amt', money_type()),
    ('tax_amt', money_type()),
    ('gross_amt', money_type()),
    ('pre_payment_amt', money_type()),
    ('refunded_amt', money_type()),
    ('credited_to_balance_amt', money_type()),
    ('out_of_band_amt', money_type()),
    ('is_deleted', 'boolean'),
    ('issue_date', 'date'),
    ('voided_date', 'date'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('credit_notes', columns, [
    'chargebee',
    'files',
    'odoo',
    'quickbooks',
    'stripe',
    'xero',
]) }}
