-- Grain: one row per landed version of a supplier's invoice of a file.

{% set structure = {
    'bill_id': 'VARCHAR',
    'number': 'VARCHAR',
    'supplier_id': 'VARCHAR',
    'supplier_name': 'VARCHAR',
    'category': 'VARCHAR',
    'status': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'net_amount': 'DECIMAL(24,4)',
    'tax_amount': 'DECIMAL(24,4)',
    'gross_amount': 'DECIMAL(24,4)',
    'rate_to_rc': 'DECIMAL(18,9)',
    'issue_date': 'DATE',
    'due_date': 'DATE',
    'voided_date': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'bills') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as bill_key,
        landed.connection,
        nullif(trim(landed.record.bill_id), '') as bill_id,
        nullif(trim(landed.record.number), '') as bill_number,
        nullif(trim(landed.record.supplier_id), '') as supplier_id,
        nullif(trim(landed.record.supplier_name), '') as supplier_name,
        nullif(trim(landed.record.category), '') as category,
        lower(nullif(trim(landed.record.status), '')) as vendor_status,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        cast(landed.record.net_amount as {{ money_type() }}) as net_amt,
        cast(landed.record.tax_amount as {{ money_type() }}) as tax_amt,
        cast(landed.record.gross_amount as {{ money_type() }}) as gross_amt,
        landed.record.rate_to_rc as document_rate_to_rc,
        landed.record.issue_date as issue_date,
        landed.record.due_date as due_date,
        landed.record.voided_date as voided_date,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
