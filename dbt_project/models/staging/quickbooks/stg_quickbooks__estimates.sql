-- Grain: one row per version of an estimate, with its lines.

{{ quickbooks_document('estimates') }}
