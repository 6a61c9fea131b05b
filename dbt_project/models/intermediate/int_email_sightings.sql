-- Grain: one row per place in which a message was seen: a folder of a mailbox, or the CRM.
-- Only places that still hold it, or that held it last; a message outlives its locations.

{% set columns = [
    ('sighting_key', 'varchar'),
    ('message_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('mailbox', 'varchar'),
    ('in_reply_to', 'varchar'),
    ('reference_ids', 'varchar[]'),
    ('from_address', 'varchar'),
    ('to_addresses', 'varchar[]'),
    ('cc_addresses', 'varchar[]'),
    ('bcc_addresses', 'varchar[]'),
    ('subject', 'varchar'),
    ('sent_at_basis', 'varchar'),
    ('deal_keys', 'varchar[]'),
    ('opens_n', 'bigint'),
    ('is_auto_reply', 'boolean'),
    ('is_bounce', 'boolean'),
    ('is_list', 'boolean'),
    ('has_message_id', 'boolean'),
    ('has_attachment', 'boolean'),
    ('is_gone', 'boolean'),
    ('sent_at', instant_type()),
    ('observed_at', instant_type()),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('email_sightings', columns, [
    'gmail',
    'hubspot',
    'imap',
    'msgraph',
    'odoo',
    'salesforce',
    'vtiger',
    'zoho',
]) }}
