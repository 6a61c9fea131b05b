-- Grain: one row per landed version of a stay of a deal in a stage.

{% set structure = {
    'deal_id': 'VARCHAR',
    'Stage': 'VARCHAR',
    'Amount': 'DECIMAL(24,4)',
    'Modified_Time': 'TIMESTAMPTZ',
    'Modified_By': {'id': 'VARCHAR'},
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'deal_stage_history') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as stay_key,
        landed.record_id as stay_id,
        landed.connection,
        concat(landed.connection, ':', landed.record.deal_id) as deal_key,
        landed.record.deal_id as deal_id,
        nullif(trim(landed.record.Stage), '') as stage_text,
        landed.record.Modified_By.id as changed_by,
        cast(landed.record.Amount as {{ money_type() }}) as deal_amount,
        landed.record.Modified_Time as entered_at,
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
