-- Grain: one row per landed version of a deal.

{% set structure = {
    'Deal_Name': 'VARCHAR',
    'Amount': 'DECIMAL(24,4)',
    'Currency': 'VARCHAR',
    'Stage': 'VARCHAR',
    'Pipeline': 'VARCHAR',
    'Probability': 'DECIMAL(24,6)',
    'Closing_Date': 'DATE',
    'Type': 'VARCHAR',
    'Lead_Source': 'VARCHAR',
    'Reason_For_Loss__s': 'VARCHAR',
    'Owner': {'id': 'VARCHAR'},
    'Account_Name': {'id': 'VARCHAR'},
    'Contact_Name': {'id': 'VARCHAR'},
    'Stage_Modified_Time': 'TIMESTAMPTZ',
    'Created_Time': 'TIMESTAMPTZ',
    'Modified_Time': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'deals') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        landed.record_id as deal_id,
        landed.connection,
        nullif(trim(landed.record.Deal_Name), '') as deal_name,
        nullif(trim(landed.record.Stage), '') as stage_text,
        nullif(trim(landed.record.Pipeline), '') as pipeline_text,
        landed.record.Owner.id as owner_id,
        landed.record.Account_Name.id as company_id,
        landed.record.Contact_Name.id as contact_id,
        upper(nullif(trim(landed.record.Currency), '')) as currency_code,
        nullif(trim(landed.record.Type), '') as deal_type,
        nullif(trim(landed.record.Lead_Source), '') as source_channel,
        nullif(trim(landed.record.Reason_For_Loss__s), '') as loss_reason,
        cast(landed.record.Amount as {{ money_type() }}) as deal_amount,
        landed.record.Probability as probability_percent,
        landed.record.Closing_Date as expected_close_date,
        landed.record.Stage_Modified_Time as stage_changed_at,
        landed.record.Created_Time as created_at,
        landed.record.Modified_Time as updated_at,
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
