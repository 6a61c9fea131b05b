-- Grain: one row per version of an invoice line in an export.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'invoice_number': 'VARCHAR',
            'line_id': 'VARCHAR',
            'product_id': 'VARCHAR',
            'description': 'VARCHAR',
            'deal_ref': 'VARCHAR',
            'quantity': 'DECIMAL(18,6)',
            'unit_price': 'DECIMAL(38,12)',
            'net_amount': 'DECIMAL(24,4)',
            'tax_amount': 'DECIMAL(24,4)',
            'is_proration': 'BOOLEAN',
            'service_start_date': 'DATE',
            'service_end_date': 'DATE',
        }) }} as body
    from {{ raw_source('files__invoice_lines') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as invoice_line_key,
        versions.connection || ':' || versions.body.invoice_number as invoice_key,
        nullif(trim(versions.body.line_id), '') as line_id,
        nullif(trim(versions.body.product_id), '') as product_id,
        nullif(trim(versions.body.description), '') as description,
        nullif(trim(versions.body.deal_ref), '') as deal_ref,
        versions.body.quantity,
        versions.body.unit_price as unit_price_amt,
        cast(versions.body.net_amount as {{ money_type() }}) as net_amt,
        cast(versions.body.tax_amount as {{ money_type() }}) as tax_amt,
        coalesce(versions.body.is_proration, false) as is_proration,
        versions.body.service_start_date,
        versions.body.service_end_date,
        versions.raw_version_id,
        'files' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
