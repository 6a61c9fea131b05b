-- Grain: one row per version of a payment that a source states whole: what the payer paid, and
-- the one invoice that it names, where it names one. Stripe's charges: int_payments_stripe.
-- Status: succeeded, pending, failed, canceled, void.

{% set columns = [
    ('payment_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('raw_version_id', 'varchar'),
    ('customer_key', 'varchar'),
    ('invoice_key', 'varchar'),
    ('method', 'varchar'),
    ('status', 'varchar'),
    ('currency_code', 'varchar'),
    ('settled_currency_code', 'varchar'),
    ('amount_amt', money_type()),
    ('fee_amt', money_type()),
    ('settled_net_amt', money_type()),
    ('is_deleted', 'boolean'),
    ('paid_date', 'date'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('payments', columns, [
    'chargebee',
    'files',
    'odoo',
    'quickbooks',
    'xero',
]) }}
