-- Grain: one row per landed version of an invoice, its lines as a list.

{% set structure = {
    'Subject': 'VARCHAR',
    'Status': 'VARCHAR',
    'Invoice_Number': 'VARCHAR',
    'Purchase_Order': 'VARCHAR',
    'Invoice_Date': 'DATE',
    'Due_Date': 'DATE',
    'Deal_Name__s': {'id': 'VARCHAR'},
    'Currency': 'VARCHAR',
    'Grand_Total': 'DECIMAL(24,4)',
    'Discount': 'DECIMAL(24,4)',
    'Tax': 'DECIMAL(24,4)',
    'Adjustment': 'DECIMAL(24,4)',
    'Deal_Name': {'id': 'VARCHAR'},
    'Account_Name': {'id': 'VARCHAR'},
    'Owner': {'id': 'VARCHAR'},
    'Created_Time': 'TIMESTAMPTZ',
    'Modified_Time': 'TIMESTAMPTZ',
    'Invoiced_Items': [{
        'id': 'VARCHAR',
        'Product_Name': {
            'id': 'VARCHAR',
            'name': 'VARCHAR',
        },
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
    from {{ source('zoho', 'invoices') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as invoice_key,
        landed.record_id as invoice_id,
        landed.connection,
        nullif(trim(landed.record.Subject), '') as name,
        nullif(trim(landed.record.Invoice_Number), '') as invoice_number,
        nullif(trim(landed.record.Status), '') as vendor_status,
        nullif(trim(landed.record.Purchase_Order), '') as po_number,
        coalesce(landed.record.Deal_Name.id, landed.record.Deal_Name__s.id) as deal_id,
        landed.record.Account_Name.id as company_id,
        landed.record.Owner.id as owner_id,
        upper(nullif(trim(landed.record.Currency), '')) as currency_code,
        cast(landed.record.Grand_Total as {{ money_type() }}) as gross_amount,
        cast(landed.record.Discount as {{ money_type() }}) as discount_amount,
        cast(landed.record.Tax as {{ money_type() }}) as tax_amount,
        cast(landed.record.Adjustment as {{ money_type() }}) as adjustment_amount,
        landed.record.Invoiced_Items as lines,
        landed.record.Invoice_Date as issue_date,
        landed.record.Due_Date as due_date,
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
