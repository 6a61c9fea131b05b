-- Grain: one row per landed version of a lead's or contact's membership in a campaign.

{% set structure = {
    'CampaignId': 'VARCHAR',
    'LeadId': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'campaign_members') }}
),

final as (
    select
        landed.record_id as member_id,
        landed.connection,
        landed.record.CampaignId as campaign_id,
        landed.record.LeadId as lead_id,
        {{ salesforce_instant('landed.record.CreatedDate') }} as joined_at,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position
    from landed
)

select * from final
