-- Grain: one row per line that a deal names as its own.

{% set columns = [
    ('line_key', 'varchar'),
    ('deal_key', 'varchar'),
] %}

{{ union_lanes('line_deals', columns, [
    'hubspot',
]) }}
