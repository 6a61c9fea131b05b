-- Grain: one row per version of an application that a source states: of a payment or credit
-- note to an invoice, in the invoice's currency, positive. Kind: payment, prepayment,
-- credit_note, refund, write_off, dispute, balance_credit; null is payment, or credit_note
-- where a credit note is named. is_implied: the source holds no payments, and this one is read
-- from a sum on its invoice; it came on not_before_date or later, and by applied_date.

{% set columns = [
    ('payment_allocation_key', 'varchar'),
    ('invoice_key', 'varchar'),
    ('payment_key', 'varchar'),
    ('credit_note_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('raw_version_id', 'varchar'),
    ('kind', 'varchar'),
    ('applied_amt', money_type()),
    ('is_implied', 'boolean'),
    ('is_deleted', 'boolean'),
    ('applied_date', 'date'),
    ('not_before_date', 'date'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('payment_allocations', columns, [
    'chargebee',
    'files',
    'odoo',
    'quickbooks',
    'vtiger',
    'xero',
]) }}
