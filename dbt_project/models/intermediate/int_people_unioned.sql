-- Grain: one row per source x connection x id of a person x landed version.
--
-- The roster (files) says since when what holds of a person; the CRM's owners say only what
-- holds now, so that each landed version of theirs starts when we saw it.

{% set columns = [
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('owner_id', 'varchar'),
    ('record_key', 'varchar'),
    ('email', 'varchar'),
    ('name', 'varchar'),
    ('team_key', 'varchar'),
    ('manager_id', 'varchar'),
    ('manager_email', 'varchar'),
    ('role', 'varchar'),
    ('is_active', 'boolean'),
    ('quota_carrying', 'boolean'),
    ('is_deleted', 'boolean'),
    ('hired_on', 'date'),
    ('valid_from_date', 'date'),
    ('valid_to_date', 'date'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('people', columns, [
    'files',
    'hubspot',
    'odoo',
    'pipedrive',
    'salesforce',
    'vtiger',
    'zoho',
]) }}
