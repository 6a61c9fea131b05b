-- Grain: one row per landed version of a Vtiger quote.

with quotes as (
    select
        *,
        list_transform(coalesce(lines, []), lambda one: concat(connection, ':', one.id))
            as line_keys
    from {{ ref('stg_vtiger__quotes') }}
),

currencies as (
    select
        connection,
        currency_id,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_vtiger__currencies') }}
    where change = 'upsert'
    group by connection, currency_id
)

select
    quotes.quote_key,
    quotes.quote_id,
    'vtiger' as source_system,
    quotes.connection,
    quotes.quote_number,
    quotes.name,
    case when quotes.deal_id is not null then [concat(quotes.connection, ':', quotes.deal_id)] else [] end
        as source_deal_keys,
    case when quotes.company_id is not null then [concat(quotes.connection, ':', quotes.company_id)] else [] end
        as source_company_keys,
    quotes.line_keys as source_line_keys,
    quotes.owner_id,
    case lower(quotes.vendor_status)
        when 'created' then 'draft'
        when 'reviewed' then 'pending'
        when 'delivered' then 'sent'
        when 'accepted' then 'accepted'
        when 'rejected' then 'rejected'
        else 'draft'
    end as status,
    quotes.vendor_status,
    currencies.currency_code,
    quotes.net_amount as net_amt,
    -- What is charged or adjusted besides is neither net nor tax.
    case
        when coalesce(quotes.shipping_amount, 0) = 0 and coalesce(quotes.adjustment_amount, 0) = 0
            then cast(quotes.gross_amount - quotes.net_amount as {{ money_type() }})
    end as tax_amt,
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
left join currencies
    on
        quotes.connection = currencies.connection
        and quotes.currency_id = currencies.currency_id
