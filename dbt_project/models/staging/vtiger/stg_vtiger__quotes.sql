-- Grain: one row per landed version of a quote, its lines as a list.

{% set structure = {
    'quote_no': 'VARCHAR',
    'subject': 'VARCHAR',
    'quotestage': 'VARCHAR',
    'potential_id': 'VARCHAR',
    'account_id': 'VARCHAR',
    'assigned_user_id': 'VARCHAR',
    'currency_id': 'VARCHAR',
    'hdnGrandTotal': 'DECIMAL(24,4)',
    'pre_tax_total': 'DECIMAL(24,4)',
    'hdnSubTotal': 'DECIMAL(24,4)',
    'hdnS_H_Amount': 'DECIMAL(24,4)',
    'txtAdjustment': 'DECIMAL(24,4)',
    'conversion_rate': 'DECIMAL(38,15)',
    'validtill': 'DATE',
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
    }],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'quotes') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as quote_key,
        landed.record_id as quote_id,
        landed.connection,
        nullif(trim(landed.record.quote_no), '') as quote_number,
        nullif(trim(landed.record.subject), '') as name,
        nullif(trim(landed.record.quotestage), '') as vendor_status,
        nullif(trim(landed.record.potential_id), '') as deal_id,
        nullif(trim(landed.record.account_id), '') as company_id,
        nullif(trim(landed.record.assigned_user_id), '') as owner_id,
        nullif(trim(landed.record.currency_id), '') as currency_id,
        cast(landed.record.hdnGrandTotal as {{ money_type() }}) as gross_amount,
        cast(landed.record.pre_tax_total as {{ money_type() }}) as net_amount,
        cast(landed.record.hdnSubTotal as {{ money_type() }}) as lines_amount,
        cast(landed.record.hdnS_H_Amount as {{ money_type() }}) as shipping_amount,
        cast(landed.record.txtAdjustment as {{ money_type() }}) as adjustment_amount,
        landed.record.conversion_rate as conversion_rate,
        landed.record.validtill as valid_until,
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
