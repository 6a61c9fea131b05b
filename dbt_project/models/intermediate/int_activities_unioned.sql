-- Grain: one row per landed version of an activity, all sources and kinds.

{% set columns = [
    ('activity_key', 'varchar'),
    ('activity_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('type', 'varchar'),
    ('direction', 'varchar'),
    ('subject', 'varchar'),
    ('outcome', 'varchar'),
    ('owner_id', 'varchar'),
    ('message_id', 'varchar'),
    ('source_deal_keys', 'varchar[]'),
    ('source_company_keys', 'varchar[]'),
    ('source_contact_keys', 'varchar[]'),
    ('participants_n', 'bigint'),
    ('duration_seconds', 'bigint'),
    ('done', 'boolean'),
    ('is_two_way', 'boolean'),
    ('occurred_at', instant_type()),
    ('due_at', instant_type()),
    ('created_at', instant_type()),
    ('change', 'varchar'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('activities', columns, [
    'files',
    'hubspot',
    'odoo',
    'pipedrive',
    'salesforce',
    'vtiger',
]) }}
