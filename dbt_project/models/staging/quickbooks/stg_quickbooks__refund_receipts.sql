-- Grain: one row per version of money given back, with the lines that say for what.

{{ quickbooks_document('refund_receipts', 'refund_receipt:') }}
