-- Grain: one row per version of an application of a payment or credit note to an invoice.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'payment_id': 'VARCHAR',
            'credit_note_number': 'VARCHAR',
            'invoice_number': 'VARCHAR',
            'kind': 'VARCHAR',
            'currency_code': 'VARCHAR',
            'applied_amount': 'DECIMAL(24,4)',
            'applied_date': 'DATE',
        }) }} as body
    from {{ raw_source('files__payment_allocations') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as payment_allocation_key,
        versions.connection || ':' || nullif(trim(versions.body.payment_id), '') as payment_key,
        versions.connection || ':' || nullif(trim(versions.body.credit_note_number), '')
            as credit_note_key,
        versions.connection || ':' || nullif(trim(versions.body.invoice_number), '') as invoice_key,
        lower(nullif(trim(versions.body.kind), '')) as kind,
        upper(versions.body.currency_code) as currency_code,
        cast(versions.body.applied_amount as {{ money_type() }}) as applied_amt,
        versions.body.applied_date,
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
