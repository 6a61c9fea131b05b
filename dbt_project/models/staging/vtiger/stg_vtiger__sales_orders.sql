-- Grain: one row per landed version of a sales order, its lines as a list.

{% set structure = {
    'salesorder_no': 'VARCHAR',
    'sostatus': 'VARCHAR',
    'potential_id': 'VARCHAR',
    'quote_id': 'VARCHAR',
    'account_id': 'VARCHAR',
    'assigned_user_id': 'VARCHAR',
    'currency_id': 'VARCHAR',
    'hdnTaxType': 'VARCHAR',
    'hdnGrandTotal': 'DECIMAL(24,4)',
    'pre_tax_total': 'DECIMAL(24,4)',
    'hdnSubTotal': 'DECIMAL(24,4)',
    'txtAdjustment': 'DECIMAL(24,4)',
    'duedate': 'DATE',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
    'LineItems': [{
        'id': 'VARCHAR',
        'productid': 'VARCHAR',
        'product_name': 'VARCHAR',
        'comment': 'VARCHAR',
        'quantity': 'DECIMAL(24,6)',
        'listprice': 'DECIMAL(38,12)',
        'discount_amount': 'DECIMAL(24,6)',
        'discount_percent': 'DECIMAL(24,6)',
    }],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'sales_orders') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as order_key,
        landed.record_id as order_id,
        landed.connection,
        nullif(trim(landed.record.salesorder_no), '') as order_number,
        lower(nullif(trim(landed.record.sostatus), '')) as vendor_status,
        nullif(trim(landed.record.potential_id), '') as deal_id,
        nullif(trim(landed.record.quote_id), '') as quote_id,
        nullif(trim(landed.record.account_id), '') as company_id,
        nullif(trim(landed.record.assigned_user_id), '') as owner_id,
        nullif(trim(landed.record.currency_id), '') as currency_id,
        coalesce(landed.record.hdnTaxType = 'individual', false) as is_taxed_by_line,
        cast(landed.record.hdnGrandTotal as {{ money_type() }}) as gross_amount,
        cast(landed.record.pre_tax_total as {{ money_type() }}) as net_amount,
        cast(landed.record.hdnSubTotal as {{ money_type() }}) as lines_amount,
        cast(landed.record.txtAdjustment as {{ money_type() }}) as adjustment_amount,
        landed.record.duedate as promised_date,
        landed.record.LineItems as lines,
        -- The text bears no zone; the connector knows it, and has read modifiedtime by it.
        landed.record.createdtime + {{ vtiger_offset() }} as created_at,
        coalesce(landed.source_updated_at, landed.record.modifiedtime) as updated_at,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
