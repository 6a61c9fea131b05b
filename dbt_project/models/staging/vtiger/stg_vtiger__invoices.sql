-- Grain: one row per landed version of an invoice, its lines as a list.

{% set structure = {
    'invoice_no': 'VARCHAR',
    'subject': 'VARCHAR',
    'invoicestatus': 'VARCHAR',
    'potential_id': 'VARCHAR',
    'account_id': 'VARCHAR',
    'salesorder_id': 'VARCHAR',
    'currency_id': 'VARCHAR',
    'hdnTaxType': 'VARCHAR',
    'hdnGrandTotal': 'DECIMAL(24,4)',
    'pre_tax_total': 'DECIMAL(24,4)',
    'hdnSubTotal': 'DECIMAL(24,4)',
    'hdnS_H_Amount': 'DECIMAL(24,4)',
    'txtAdjustment': 'DECIMAL(24,4)',
    'conversion_rate': 'DECIMAL(38,15)',
    'hdnDiscountAmount': 'DECIMAL(24,4)',
    'received': 'DECIMAL(24,4)',
    'balance': 'DECIMAL(24,4)',
    'invoicedate': 'DATE',
    'duedate': 'DATE',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
    'LineItems': [{
        'id': 'VARCHAR',
        'productid': 'VARCHAR',
        'product_name': 'VARCHAR',
        'sequence_no': 'VARCHAR',
        'comment': 'VARCHAR',
        'quantity': 'DECIMAL(24,6)',
        'listprice': 'DECIMAL(38,12)',
        'discount_amount': 'DECIMAL(24,6)',
        'discount_percent': 'DECIMAL(24,6)',
        'tax1': 'DECIMAL(9,6)',
        'tax2': 'DECIMAL(9,6)',
        'tax3': 'DECIMAL(9,6)',
    }],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'invoices') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as invoice_key,
        landed.record_id as invoice_id,
        landed.connection,
        nullif(trim(landed.record.invoice_no), '') as invoice_number,
        nullif(trim(landed.record.subject), '') as subject,
        nullif(trim(landed.record.invoicestatus), '') as vendor_status,
        nullif(trim(landed.record.potential_id), '') as deal_id,
        nullif(trim(landed.record.account_id), '') as company_id,
        nullif(trim(landed.record.salesorder_id), '') as sales_order_id,
        nullif(trim(landed.record.currency_id), '') as currency_id,
        coalesce(landed.record.hdnTaxType = 'individual', false) as is_taxed_by_line,
        cast(landed.record.hdnGrandTotal as {{ money_type() }}) as gross_amount,
        cast(landed.record.pre_tax_total as {{ money_type() }}) as net_amount,
        cast(landed.record.hdnSubTotal as {{ money_type() }}) as lines_amount,
        cast(landed.record.hdnS_H_Amount as {{ money_type() }}) as shipping_amount,
        cast(landed.record.txtAdjustment as {{ money_type() }}) as adjustment_amount,
        landed.record.conversion_rate as conversion_rate,
        cast(landed.record.hdnDiscountAmount as {{ money_type() }}) as discount_amount,
        cast(landed.record.received as {{ money_type() }}) as received_amount,
        cast(landed.record.balance as {{ money_type() }}) as balance_amount,
        landed.record.invoicedate as issue_date,
        landed.record.duedate as due_date,
        landed.record.LineItems as lines,
        -- The text bears no zone; the connector knows it, and has read modifiedtime by it.
        landed.record.createdtime + {{ vtiger_offset() }} as created_at,
        coalesce(landed.source_updated_at, landed.record.modifiedtime) as updated_at,
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
