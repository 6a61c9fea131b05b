-- Grain: one row per landed set of the contacts of a deal in their roles.

{% set structure = {'roles': [{
    'id': 'VARCHAR',
    'Contact_Role': {'name': 'VARCHAR'},
}]} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'deal_contact_roles') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        landed.record_id as deal_id,
        landed.connection,
        landed.record.roles as roles,
        landed.payload is not null as has_content,
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
