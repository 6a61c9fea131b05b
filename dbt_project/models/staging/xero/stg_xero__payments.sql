-- Grain: one row per version of a payment: on an invoice or bill, or the cash refund of a credit
-- note, overpayment or prepayment. What is paid back may stand as an Invoice of its own type.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'PaymentType': 'VARCHAR',
            'Status': 'VARCHAR',
            'Amount': 'DECIMAL(18,4)',
            'BankAmount': 'DECIMAL(18,4)',
            'CurrencyRate': 'DECIMAL(28,12)',
            'Reference': 'VARCHAR',
            'Date': 'VARCHAR',
            'DateString': 'VARCHAR',
            'Account': {'AccountID': 'VARCHAR', 'Code': 'VARCHAR'},
            'Invoice': {
                'InvoiceID': 'VARCHAR',
                'Type': 'VARCHAR',
                'CurrencyCode': 'VARCHAR',
                'Contact': {'ContactID': 'VARCHAR'},
            },
            'CreditNote': {'CreditNoteID': 'VARCHAR'},
            'Overpayment': {'OverpaymentID': 'VARCHAR'},
            'Prepayment': {'PrepaymentID': 'VARCHAR'},
        }) }} as body
    from {{ raw_source('xero__payments') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as payment_key,
        versions.record_id as payment_id,
        versions.body.PaymentType as payment_type,
        versions.body.Status as status,
        versions.connection || ':' || coalesce(
            nullif(versions.body.CreditNote.CreditNoteID, ''),
            nullif(versions.body.Overpayment.OverpaymentID, ''),
            nullif(versions.body.Prepayment.PrepaymentID, ''),
            nullif(versions.body.Invoice.InvoiceID, '')
        ) as document_key,
        upper(nullif(versions.body.Invoice.CurrencyCode, '')) as currency_code,
        versions.connection || ':' || nullif(versions.body.Invoice.Contact.ContactID, '')
            as contact_key,
        nullif(versions.body.Account.AccountID, '') as account_id,
        nullif(trim(versions.body.Reference), '') as reference,
        versions.body.Amount as amount,
        versions.body.BankAmount as bank_amount,
        versions.body.CurrencyRate as currency_rate,
        {{ xero_day('versions.body.DateString', 'versions.body.Date') }} as paid_date,
        versions.raw_version_id,
        'xero' as source_system,
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
