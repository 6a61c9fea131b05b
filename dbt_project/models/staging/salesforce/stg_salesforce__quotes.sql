-- Grain: one row per landed version of a quote.

{% set structure = {
    'QuoteNumber': 'VARCHAR',
    'Name': 'VARCHAR',
    'OpportunityId': 'VARCHAR',
    'AccountId': 'VARCHAR',
    'Status': 'VARCHAR',
    'TotalPrice': 'DECIMAL(24,4)',
    'Tax': 'DECIMAL(24,4)',
    'GrandTotal': 'DECIMAL(24,4)',
    'ExpirationDate': 'DATE',
    'OwnerId': 'VARCHAR',
    'CurrencyIsoCode': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
    'SystemModstamp': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'quotes') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as quote_key,
        landed.record_id as quote_id,
        landed.connection,
        landed.record.QuoteNumber as quote_number,
        nullif(trim(landed.record.Name), '') as quote_name,
        landed.record.OpportunityId as deal_id,
        landed.record.AccountId as company_id,
        landed.record.Status as vendor_status,
        landed.record.OwnerId as owner_id,
        upper(landed.record.CurrencyIsoCode) as currency_code,
        cast(landed.record.TotalPrice as {{ money_type() }}) as net_amount,
        cast(landed.record.Tax as {{ money_type() }}) as tax_amount,
        cast(landed.record.GrandTotal as {{ money_type() }}) as gross_amount,
        landed.record.ExpirationDate as valid_until,
        {{ salesforce_instant('landed.record.CreatedDate') }} as created_at,
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
