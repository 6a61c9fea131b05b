-- Grain: one row per landed version of what an opportunity held after a change of stage, amount, probability or close date.

{% set structure = {
    'OpportunityId': 'VARCHAR',
    'StageName': 'VARCHAR',
    'Amount': 'DECIMAL(24,4)',
    'CloseDate': 'DATE',
    'CurrencyIsoCode': 'VARCHAR',
    'CreatedById': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'stage_history') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as change_key,
        landed.record_id as change_id,
        concat(landed.connection, ':', landed.record.OpportunityId) as deal_key,
        landed.connection,
        landed.record.StageName as stage_name,
        cast(landed.record.Amount as {{ money_type() }}) as deal_amount,
        upper(landed.record.CurrencyIsoCode) as currency_code,
        landed.record.CreatedById as changed_by,
        landed.record.CloseDate as close_date,
        {{ salesforce_instant('landed.record.CreatedDate') }} as happened_at,
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
