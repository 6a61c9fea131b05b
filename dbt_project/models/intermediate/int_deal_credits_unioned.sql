-- Grain: one row per landed version of a share of a user in a deal. A file may name a deal of its
-- own connection (source_deal_key) or, by its whole key, one of another (deal_id).

{% set columns = [
    ('deal_credit_key', 'varchar'),
    ('source_deal_key', 'varchar'),
    ('deal_id', 'varchar'),
    ('user_key', 'varchar'),
    ('credit_type', 'varchar'),
    ('share', 'decimal(9, 6)'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('raw_version_id', 'varchar'),
    ('is_deleted', 'boolean'),
    ('valid_from_date', 'date'),
    ('valid_to_date', 'date'),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('deal_credits', columns, [
    'files',
    'salesforce',
]) }}
