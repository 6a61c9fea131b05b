-- Grain: one row per version of a credit note in an export; amounts positive.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'credit_note_number': 'VARCHAR',
            'invoice_number': 'VARCHAR',
            'status': 'VARCHAR',
            'reason': 'VARCHAR',
            'company_id': 'VARCHAR',
            'currency_code': 'VARCHAR',
            'net_amount': 'DECIMAL(24,4)',
            'tax_amount': 'DECIMAL(24,4)',
            'gross_amount': 'DECIMAL(24,4)',
            'refunded_amount': 'DECIMAL(24,4)',
            'issue_date': 'DATE',
            'voided_date': 'DATE',
        }) }} as body
    from {{ raw_source('files__credit_notes') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as credit_note_key,
        nullif(trim(versions.body.credit_note_number), '') as credit_note_number,
        versions.connection || ':' || nullif(trim(versions.body.invoice_number), '') as invoice_key,
        lower(nullif(trim(versions.body.status), '')) as status,
        nullif(trim(versions.body.reason), '') as reason,
        nullif(trim(versions.body.company_id), '') as company_id,
        upper(versions.body.currency_code) as currency_code,
        -- Exports show credits with either sign; here a credit is positive.
        cast(abs(versions.body.net_amount) as {{ money_type() }}) as net_amt,
        cast(abs(versions.body.tax_amount) as {{ money_type() }}) as tax_amt,
        cast(abs(versions.body.gross_amount) as {{ money_type() }}) as gross_amt,
        cast(abs(versions.body.refunded_amount) as {{ money_type() }}) as refunded_amt,
        versions.body.issue_date,
        versions.body.voided_date,
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
