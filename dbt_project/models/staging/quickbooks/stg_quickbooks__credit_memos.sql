-- Grain: one row per version of a credit memo, with its lines.

{{ quickbooks_document('credit_memos') }}
