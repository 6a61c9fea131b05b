-- Grain: one row per landed version of a kind of shares.

{% set structure = {
    'MasterLabel': 'VARCHAR',
    'SplitField': 'VARCHAR',
    'IsTotalValidated': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'split_types') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as split_type_key,
        landed.record_id as split_type_id,
        landed.connection,
        landed.record.MasterLabel as split_type_name,
        -- An org may split figures of its own, too.
        coalesce(landed.record.SplitField, 'Amount') as split_field,
        coalesce(landed.record.IsTotalValidated, false) as is_total_validated,
        landed.payload is not null and landed.change <> 'merged' as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
