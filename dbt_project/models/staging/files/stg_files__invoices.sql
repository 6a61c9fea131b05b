-- Grain: one row per version of an invoice in an export; money in major units.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'invoice_number': 'VARCHAR',
            'status': 'VARCHAR',
            'kind': 'VARCHAR',
            'company_id': 'VARCHAR',
            'company_name': 'VARCHAR',
            'company_email': 'VARCHAR',
            'po_number': 'VARCHAR',
            'deal_ref': 'VARCHAR',
            'quote_id': 'VARCHAR',
            'subscription_id': 'VARCHAR',
            'description': 'VARCHAR',
            'superseded_by': 'VARCHAR',
            'currency_code': 'VARCHAR',
            'net_amount': 'DECIMAL(24,4)',
            'tax_amount': 'DECIMAL(24,4)',
            'gross_amount': 'DECIMAL(24,4)',
            'discount_amount': 'DECIMAL(24,4)',
            'balance_amount': 'DECIMAL(24,4)',
            'rate_to_rc': 'DECIMAL(18,9)',
            'issue_date': 'DATE',
            'due_date': 'DATE',
            'voided_date': 'DATE',
            'written_off_date': 'DATE',
            'paid_date': 'DATE',
            'service_start_date': 'DATE',
            'service_end_date': 'DATE',
        }) }} as body
    from {{ raw_source('files__invoices') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as invoice_key,
        nullif(trim(versions.body.invoice_number), '') as invoice_number,
        lower(nullif(trim(versions.body.status), '')) as status,
        lower(nullif(trim(versions.body.kind), '')) as kind,
        nullif(trim(versions.body.company_id), '') as company_id,
        nullif(trim(versions.body.company_name), '') as company_name,
        lower(nullif(trim(versions.body.company_email), '')) as company_email,
        nullif(trim(versions.body.po_number), '') as po_number,
        nullif(trim(versions.body.deal_ref), '') as deal_ref,
        nullif(trim(versions.body.quote_id), '') as quote_id,
        nullif(trim(versions.body.subscription_id), '') as subscription_id,
        nullif(trim(versions.body.description), '') as description,
        nullif(trim(versions.body.superseded_by), '') as superseded_by,
        upper(versions.body.currency_code) as currency_code,
        cast(versions.body.net_amount as {{ money_type() }}) as net_amt,
        cast(versions.body.tax_amount as {{ money_type() }}) as tax_amt,
        cast(versions.body.gross_amount as {{ money_type() }}) as gross_amt,
        cast(versions.body.discount_amount as {{ money_type() }}) as discount_amt,
        cast(versions.body.balance_amount as {{ money_type() }}) as balance_amt,
        versions.body.rate_to_rc,
        versions.body.issue_date,
        versions.body.due_date,
        versions.body.voided_date,
        versions.body.written_off_date,
        versions.body.paid_date,
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
