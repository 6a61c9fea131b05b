-- Grain: one row per landed version of a share in the credit of an opportunity.

{% set structure = {
    'OpportunityId': 'VARCHAR',
    'SplitOwnerId': 'VARCHAR',
    'SplitTypeId': 'VARCHAR',
    'SplitPercentage': 'DECIMAL(24,6)',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'splits') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as split_key,
        landed.record_id as split_id,
        landed.connection,
        landed.record.OpportunityId as deal_id,
        landed.record.SplitOwnerId as owner_id,
        landed.record.SplitTypeId as split_type_id,
        landed.record.SplitPercentage as share_percent,
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
