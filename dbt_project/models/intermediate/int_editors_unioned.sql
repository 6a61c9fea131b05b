-- Grain: one row per way in which a source's histories name a user, where that is not the id by
-- which its deals name an owner.

{{ config(materialized='view') }}

{% set columns = [
    ('connection', 'varchar'),
    ('editor_id', 'varchar'),
    ('user_key', 'varchar'),
    ('preference', 'bigint'),
] %}

{{ union_lanes('editors', columns, [
    'hubspot',
]) }}
