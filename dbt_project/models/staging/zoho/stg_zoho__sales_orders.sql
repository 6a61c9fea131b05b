-- Grain: one row per landed version of a sales order, its lines as a list.

{% set structure = {
    'SO_Number': 'VARCHAR',
    'Status': 'VARCHAR',
    'Currency': 'VARCHAR',
    'Grand_Total': 'DECIMAL(24,4)',
    'Tax': 'DECIMAL(24,4)',
    'Due_Date': 'DATE',
    'Deal_Name': {'id': 'VARCHAR'},
    'Quote_Name': {'id': 'VARCHAR'},
    'Account_Name': {'id': 'VARCHAR'},
    'Owner': {'id': 'VARCHAR'},
    'Created_Time': 'TIMESTAMPTZ',
    'Modified_Time': 'TIMESTAMPTZ',
    'Ordered_Items': [{
        'id': 'VARCHAR',
        'Product_Name': {'id': 'VARCHAR', 'name': 'VARCHAR'},
        'Description': 'VARCHAR',
        'Quantity': 'DECIMAL(24,6)',
        'List_Price': 'DECIMAL(38,12)',
        'Total': 'DECIMAL(24,4)',
        'Discount': 'DECIMAL(24,4)',
        'Tax': 'DECIMAL(24,4)',
    }],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'sales_orders') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as order_key,
        landed.record_id as order_id,
        landed.connection,
        nullif(trim(landed.record.SO_Number), '') as order_number,
        lower(nullif(trim(landed.record.Status), '')) as vendor_status,
        landed.record.Deal_Name.id as deal_id,
        landed.record.Quote_Name.id as quote_id,
        landed.record.Account_Name.id as company_id,
        landed.record.Owner.id as owner_id,
        upper(nullif(trim(landed.record.Currency), '')) as currency_code,
        cast(landed.record.Tax as {{ money_type() }}) as tax_amount,
        cast(landed.record.Grand_Total as {{ money_type() }}) as gross_amount,
        landed.record.Due_Date as promised_date,
        landed.record.Ordered_Items as lines,
        landed.record.Created_Time as created_at,
        landed.record.Modified_Time as updated_at,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
