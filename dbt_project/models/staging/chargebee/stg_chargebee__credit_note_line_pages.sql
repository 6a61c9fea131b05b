-- Grain: one row per version of a page of lines that a credit note does not show itself. The page
-- belongs to the version of its parent that bears the same resource_version.

{% set structure = {
    'credit_note_id': 'VARCHAR',
    'page': 'BIGINT',
    'resource_version': 'BIGINT',
    'line_items': [chargebee_line()],
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__credit_note_line_pages') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as line_page_key,
        versions.connection || ':' || versions.body.credit_note_id as credit_note_key,
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
