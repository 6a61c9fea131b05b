-- Grain: one row per line that says what a deal is made of: the deal's own lines, else those of its
-- accepted quote, else of its newest.

with quotes as (
    select
        quote_key,
        status,
        quote_date
    from {{ ref('fct_quote') }}
    where not is_deleted and status not in ('rejected', 'void')
),

final as (
    select
        lines.quote_line_key,
        lines.deal_key,
        lines.product_key,
        lines.product_name,
        lines.currency_code,
        lines.quantity,
        lines.net_amt,
        lines.is_recurring
    from {{ ref('fct_quote_line') }} as lines
    left join quotes on lines.quote_key = quotes.quote_key
    where
        lines.deal_key is not null
        and not lines.is_deleted
        and (lines.quote_key is null or quotes.quote_key is not null)
    qualify
        coalesce(lines.quote_key, '') = first_value(coalesce(lines.quote_key, '')) over (
            partition by lines.deal_key
            order by
                case
                    when lines.quote_key is null then 0
                    when quotes.status = 'accepted' then 1
                    else 2
                end,
                quotes.quote_date desc,
                lines.quote_key desc
        )
)

select * from final
