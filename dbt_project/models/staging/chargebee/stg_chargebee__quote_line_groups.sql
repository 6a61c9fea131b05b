-- Grain: one row per version of a group of lines of a quote that shows none itself. The group
-- belongs to the version of the quote that bears the same resource_version.

{% set structure = {
    'quote_id': 'VARCHAR',
    'resource_version': 'BIGINT',
    'line_items': [chargebee_line()],
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__quote_line_groups') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as line_group_key,
        versions.connection || ':' || versions.body.quote_id as quote_key,
        versions.body.resource_version as resource_version,
        versions.body.line_items as lines,
        versions.raw_version_id,
        versions.connection,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
