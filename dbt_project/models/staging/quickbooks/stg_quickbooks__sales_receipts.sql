-- Grain: one row per version of a sale that was paid at once, with its lines.

{{ quickbooks_document('sales_receipts', 'sales_receipt:') }}
