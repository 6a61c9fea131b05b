-- Grain: one row per quote that a deal names as its own.

{% set columns = [
    ('quote_key', 'varchar'),
    ('deal_key', 'varchar'),
] %}

{{ union_lanes('quote_deals', columns, [
    'hubspot',
]) }}
