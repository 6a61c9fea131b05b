-- Grain: one row per landed version of a contact's role in an opportunity.

{% set structure = {
    'OpportunityId': 'VARCHAR',
    'ContactId': 'VARCHAR',
    'Role': 'VARCHAR',
    'IsPrimary': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'contact_roles') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as role_key,
        landed.record_id as role_id,
        landed.connection,
        landed.connection || ':' || landed.record.OpportunityId as deal_key,
        landed.connection || ':' || landed.record.ContactId as contact_key,
        nullif(trim(landed.record.Role), '') as role_name,
        coalesce(landed.record.IsPrimary, false) as is_primary,
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
