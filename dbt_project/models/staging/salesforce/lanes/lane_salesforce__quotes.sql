-- Grain: one row per landed version of a Salesforce quote. What its total holds besides net
-- and tax is shipping.

with quotes as (
    select * from {{ ref('stg_salesforce__quotes') }}
),

organizations as (
    select
        connection,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_salesforce__organization') }}
    where has_content
    group by connection
),

lines as (
    {{ salesforce_newest(ref('stg_salesforce__quote_line_items'), 'line_id', ['quote_id', 'line_key', 'is_deleted']) }}
),

line_sets as (
    select
        connection,
        quote_id,
        list(line_key order by line_key) as line_keys
    from lines
    where not is_deleted
    group by connection, quote_id
)

select
    quotes.quote_key,
    quotes.quote_id,
    'salesforce' as source_system,
    quotes.connection,
    quotes.quote_number,
    quotes.quote_name as name,
    case
        when quotes.deal_id is not null then [concat(quotes.connection, ':', quotes.deal_id)]
        else []
    end as source_deal_keys,
    case
        when quotes.company_id is not null then [concat(quotes.connection, ':', quotes.company_id)]
        else []
    end as source_company_keys,
    coalesce(line_sets.line_keys, cast([] as varchar[])) as source_line_keys,
    quotes.owner_id,
    case lower(quotes.vendor_status)
        when 'needs review' then 'pending'
        when 'in review' then 'pending'
        when 'approved' then 'pending'
        when 'presented' then 'sent'
        when 'accepted' then 'accepted'
        when 'rejected' then 'rejected'
        when 'denied' then 'rejected'
        else 'draft'
    end as status,
    quotes.vendor_status,
    coalesce(quotes.currency_code, organizations.currency_code) as currency_code,
    quotes.net_amount as net_amt,
    quotes.tax_amount as tax_amt,
    quotes.gross_amount as gross_amt,
    {{ company_date('quotes.created_at') }} as quote_date,
    quotes.valid_until,
    quotes.created_at,
    quotes.updated_at,
    quotes.change,
    quotes.is_deleted,
    quotes.observed_at,
    quotes.sync_id,
    quotes.position,
    quotes.raw_version_id
from quotes
left join organizations on quotes.connection = organizations.connection
left join line_sets
    on quotes.connection = line_sets.connection and quotes.quote_id = line_sets.quote_id
