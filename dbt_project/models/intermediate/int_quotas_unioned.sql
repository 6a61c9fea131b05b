-- Grain: one row per landed version of a quota. The period is as its source spells it: a key of
-- the fiscal calendar, or a calendar month such as 2026-10; or by its own first and last day, which
-- then count.

{% set columns = [
    ('quota_record_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('scope_type', 'varchar'),
    ('scope_id', 'varchar'),
    ('period_type', 'varchar'),
    ('period', 'varchar'),
    ('measure', 'varchar'),
    ('credit_type', 'varchar'),
    ('currency_code', 'varchar'),
    ('quota_amt', money_type()),
    ('proration', 'decimal(9, 6)'),
    ('valid_from_date', 'date'),
    ('valid_to_date', 'date'),
    ('own_start_date', 'date'),
    ('own_end_date', 'date'),
    ('is_deleted', 'boolean'),
    ('observed_at', instant_type()),
    ('raw_version_id', 'varchar'),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('quotas', columns, [
    'files',
    'hubspot',
    'pipedrive',
    'salesforce',
]) }}
