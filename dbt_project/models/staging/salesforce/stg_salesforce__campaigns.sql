-- Grain: one row per landed version of a campaign.

{% set structure = {
    'Name': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'campaigns') }}
),

final as (
    select
        landed.record_id as campaign_id,
        landed.connection,
        nullif(trim(landed.record.Name), '') as campaign_name,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position
    from landed
)

select * from final
