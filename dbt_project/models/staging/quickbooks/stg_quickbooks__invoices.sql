-- Grain: one row per version of an invoice, with its lines.

{{ quickbooks_document('invoices') }}
