-- Grain: one row per version of a sales invoice (ACCREC) or bill (ACCPAY), money as Xero writes it.
-- Rate: units of the document's currency per unit of the organisation's.

{% set structure = {
    'Type': 'VARCHAR',
    'Status': 'VARCHAR',
    'LineAmountTypes': 'VARCHAR',
    'CurrencyCode': 'VARCHAR',
    'CurrencyRate': 'DECIMAL(28,12)',
    'Reference': 'VARCHAR',
    'Contact': {'ContactID': 'VARCHAR', 'Name': 'VARCHAR', 'EmailAddress': 'VARCHAR'},
    'SubTotal': 'DECIMAL(18,4)',
    'TotalTax': 'DECIMAL(18,4)',
    'Total': 'DECIMAL(18,4)',
    'Date': 'VARCHAR',
    'DateString': 'VARCHAR',
    'InvoiceNumber': 'VARCHAR',
    'Url': 'VARCHAR',
    'RepeatingInvoiceID': 'VARCHAR',
    'AmountDue': 'DECIMAL(18,4)',
    'AmountPaid': 'DECIMAL(18,4)',
    'AmountCredited': 'DECIMAL(18,4)',
    'TotalDiscount': 'DECIMAL(18,4)',
    'DueDate': 'VARCHAR',
    'DueDateString': 'VARCHAR',
    'FullyPaidOnDate': 'VARCHAR',
    'LineItems': [xero_line()],
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('xero__invoices') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as invoice_key,
        versions.record_id as invoice_id,
        versions.body.Type as document_type,
        versions.body.Status as status,
        upper(versions.body.LineAmountTypes) = 'INCLUSIVE' as is_tax_inclusive,
        upper(nullif(versions.body.CurrencyCode, '')) as currency_code,
        versions.body.CurrencyRate as currency_rate,
        nullif(trim(versions.body.Reference), '') as reference,
        versions.connection || ':' || nullif(versions.body.Contact.ContactID, '') as contact_key,
        nullif(trim(versions.body.Contact.Name), '') as contact_name,
        lower(nullif(trim(versions.body.Contact.EmailAddress), '')) as contact_email,
        versions.body.Total - versions.body.TotalTax as net_amount,
        versions.body.TotalTax as tax_amount,
        versions.body.Total as gross_amount,
        {{ xero_day('versions.body.DateString', 'versions.body.Date') }} as issue_date,
        nullif(trim(versions.body.InvoiceNumber), '') as invoice_number,
        nullif(trim(versions.body.Url), '') as url,
        nullif(versions.body.RepeatingInvoiceID, '') as repeating_invoice_id,
        versions.body.AmountDue as amount_due,
        versions.body.AmountPaid as amount_paid,
        versions.body.AmountCredited as amount_credited,
        versions.body.LineItems as lines,
        {{ xero_day('versions.body.DueDateString', 'versions.body.DueDate') }} as due_date,
        {{ xero_day('cast(null as varchar)', 'versions.body.FullyPaidOnDate') }} as fully_paid_date,
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
