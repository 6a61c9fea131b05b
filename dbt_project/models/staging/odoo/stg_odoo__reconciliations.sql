-- Grain: one row per landed version of a partial reconciliation: what of a credit item settles a debit item.

{% set structure = {
    'debit_move_id': 'VARCHAR',
    'credit_move_id': 'VARCHAR',
    'amount': 'DECIMAL(24,4)',
    'debit_amount_currency': 'DECIMAL(24,4)',
    'credit_amount_currency': 'DECIMAL(24,4)',
    'max_date': 'DATE',
    'create_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'reconciliations') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as reconciliation_key,
        landed.record_id as reconciliation_id,
        landed.connection,
        {{ odoo_id('landed.record.debit_move_id') }} as debit_line_id,
        {{ odoo_id('landed.record.credit_move_id') }} as credit_line_id,
        cast(landed.record.debit_amount_currency as {{ money_type() }}) as debit_amount,
        cast(landed.record.credit_amount_currency as {{ money_type() }}) as credit_amount,
        coalesce(landed.record.max_date, {{ company_date('landed.record.create_date') }}) as applied_date,
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
