-- Grain: one row per landed version of a Zoho quote.
--
-- The grand total holds the taxes of the lines and that of the document; what is left without
-- them is the net.

with quotes as (
    select
        *,
        list_transform(coalesce(lines, []), lambda one: concat(connection, ':', one.id))
            as line_keys,
        cast(
            coalesce(tax_amount, 0)
            + coalesce(
                {{ list_total('lines', 'coalesce(one.Tax, 0)') }}, 0
            ) as {{ money_type() }}
        ) as all_taxes
    from {{ ref('stg_zoho__quotes') }}
),

home_currencies as (
    {{ zoho_home_currencies() }}
)

select
    quotes.quote_key,
    quotes.quote_id,
    'zoho' as source_system,
    quotes.connection,
    quotes.quote_number,
    quotes.name,
    case
        when quotes.deal_id is null then [] else [concat(quotes.connection, ':', quotes.deal_id)]
    end as source_deal_keys,
    case
        when quotes.company_id is null then []
        else [concat(quotes.connection, ':', quotes.company_id)]
    end as source_company_keys,
    quotes.line_keys as source_line_keys,
    quotes.owner_id,
    case lower(quotes.vendor_status)
        when 'negotiation' then 'sent'
        when 'delivered' then 'sent'
        when 'on hold' then 'pending'
        when 'confirmed' then 'accepted'
        when 'closed won' then 'accepted'
        when 'closed lost' then 'rejected'
        else 'draft'
    end as status,
    quotes.vendor_status,
    case
        when quotes.has_content then coalesce(quotes.currency_code, home_currencies.currency_code)
    end as currency_code,
    cast(quotes.gross_amount - quotes.all_taxes as {{ money_type() }}) as net_amt,
    case when quotes.has_content then quotes.all_taxes end as tax_amt,
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
left join home_currencies on quotes.connection = home_currencies.connection
