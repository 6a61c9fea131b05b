-- Grain: one row per landed version of a forecast that somebody handed in. The period is as its
-- source spells it, or the one of a grain that begins (and, where that is told, ends) with its days.

{% set columns = [
    ('forecast_submission_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('submitter_email', 'varchar'),
    ('scope_type', 'varchar'),
    ('scope_id', 'varchar'),
    ('period', 'varchar'),
    ('own_grain', 'varchar'),
    ('own_start_date', 'date'),
    ('own_end_date', 'date'),
    ('category', 'varchar'),
    ('level', 'varchar'),
    ('has_note', 'boolean'),
    ('currency_code', 'varchar'),
    ('forecast_amt', money_type()),
    ('system_amt', money_type()),
    ('submitted_at', instant_type()),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('raw_version_id', 'varchar'),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('forecast_submissions', columns, [
    'files',
    'hubspot',
    'salesforce',
]) }}
