-- Grain: one row per version of a supplier's bill. Bills cannot be voided, only deleted.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'DocNumber': 'VARCHAR',
            'TxnDate': 'VARCHAR',
            'DueDate': 'VARCHAR',
            'CurrencyRef': {'value': 'VARCHAR'},
            'ExchangeRate': 'DECIMAL(28,12)',
            'VendorRef': {'value': 'VARCHAR', 'name': 'VARCHAR'},
            'TotalAmt': 'DECIMAL(18,4)',
            'Balance': 'DECIMAL(18,4)',
            'TxnTaxDetail': {'TotalTax': 'DECIMAL(18,4)'},
            'Line': [{
                'Amount': 'DECIMAL(18,4)',
                'AccountBasedExpenseLineDetail': {'AccountRef': {'name': 'VARCHAR'}},
            }],
        }) }} as body
    from {{ raw_source('quickbooks__bills') }}
),

final as (
    select
        versions.connection || ':bill:' || versions.record_id as bill_key,
        versions.record_id as bill_id,
        nullif(trim(versions.body.DocNumber), '') as bill_number,
        try_cast(versions.body.TxnDate as date) as issue_date,
        try_cast(versions.body.DueDate as date) as due_date,
        upper(nullif(versions.body.CurrencyRef.value, '')) as currency_code,
        versions.body.ExchangeRate as exchange_rate,
        versions.connection || ':vendor:' || nullif(versions.body.VendorRef.value, '')
            as supplier_key,
        nullif(trim(versions.body.VendorRef.name), '') as supplier_name,
        versions.body.TotalAmt as gross_amount,
        case
            when versions.payload is not null then coalesce(versions.body.TxnTaxDetail.TotalTax, 0)
        end as tax_amount,
        cast(
            versions.body.TotalAmt - coalesce(versions.body.TxnTaxDetail.TotalTax, 0)
            as {{ money_type() }}
        ) as net_amount,
        versions.body.Balance as balance_amount,
        list_reverse_sort(list_transform(
            coalesce(versions.body.Line, []),
            lambda line: {
                'amount': line.Amount,
                'account': line.AccountBasedExpenseLineDetail.AccountRef.name
            }
        ))[1].account as category,
        versions.payload is not null as has_content,
        versions.raw_version_id,
        'quickbooks' as source_system,
        versions.connection,
        versions.change,
        versions.change not in ('upsert', 'archived') as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
