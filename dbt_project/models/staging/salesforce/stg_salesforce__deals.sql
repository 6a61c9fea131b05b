-- Grain: one row per landed version of an opportunity.

{% set structure = {
    'Name': 'VARCHAR',
    'StageName': 'VARCHAR',
    'Amount': 'DECIMAL(24,4)',
    'Probability': 'DECIMAL(24,6)',
    'CloseDate': 'DATE',
    'IsClosed': 'BOOLEAN',
    'IsWon': 'BOOLEAN',
    'OwnerId': 'VARCHAR',
    'AccountId': 'VARCHAR',
    'ContactId': 'VARCHAR',
    'RecordTypeId': 'VARCHAR',
    'CurrencyIsoCode': 'VARCHAR',
    'LeadSource': 'VARCHAR',
    'Type': 'VARCHAR',
    'ForecastCategoryName': 'VARCHAR',
    'Loss_Reason__c': 'VARCHAR',
    'NextStep': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
    'SystemModstamp': 'VARCHAR',
    'LastStageChangeDate': 'VARCHAR',
    'survivor_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'deals') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        landed.record_id as deal_id,
        landed.connection,
        nullif(trim(landed.record.Name), '') as deal_name,
        landed.record.StageName as stage_name,
        cast(landed.record.Amount as {{ money_type() }}) as deal_amount,
        landed.record.Probability as probability_percent,
        landed.record.IsClosed as is_closed,
        landed.record.IsWon as is_won,
        landed.record.OwnerId as owner_id,
        landed.record.AccountId as company_id,
        landed.record.ContactId as contact_id,
        landed.record.RecordTypeId as record_type_id,
        upper(landed.record.CurrencyIsoCode) as currency_code,
        landed.record.LeadSource as source_channel,
        landed.record.Type as deal_type,
        landed.record.ForecastCategoryName as forecast_category_name,
        nullif(trim(landed.record.Loss_Reason__c), '') as loss_reason,
        landed.record.survivor_id as survivor_id,
        landed.record.CloseDate as close_date,
        {{ salesforce_instant('landed.record.CreatedDate') }} as created_at,
        {{ salesforce_instant('landed.record.LastStageChangeDate') }} as stage_changed_at,
        {{ salesforce_instant('landed.record.SystemModstamp') }} as updated_at,
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
