-- Grain: one row per version of a quote.

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
    'QuoteNumber': 'VARCHAR',
    'Title': 'VARCHAR',
    'ExpiryDate': 'VARCHAR',
    'ExpiryDateString': 'VARCHAR',
    'LineItems': [xero_line()],
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('xero__quotes') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as quote_key,
        versions.record_id as quote_id,
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
        nullif(trim(versions.body.QuoteNumber), '') as quote_number,
        nullif(trim(versions.body.Title), '') as title,
        versions.body.LineItems as lines,
        {{ xero_day('versions.body.ExpiryDateString', 'versions.body.ExpiryDate') }} as expiry_date,
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
