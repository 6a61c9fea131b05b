-- Grain: one row per invoice line of an invoice with several deals that is one deal's alone:
-- the line names the deal, or only one of the deals sold the line's product.

with shared_links as (
    select *
    from {{ ref('int_invoice_links') }}
    where is_accepted
    qualify count(*) over (partition by invoice_key) > 1
),

line_deals as (
    select
        lines.invoice_line_key,
        lines.invoice_key,
        lines.net_amt,
        shared_links.deal_key
    from {{ ref('int_invoice_lines_current') }} as lines
    inner join shared_links on lines.invoice_key = shared_links.invoice_key
    where
        lines.deal_reference is not null
        and split_part(lines.deal_reference, ':', -1)
        = substr(shared_links.deal_key, strpos(shared_links.deal_key, ':') + 1)
    -- A number that deals of several CRMs bear says which of them as little as none.
    qualify count(*) over (partition by lines.invoice_line_key) = 1
),

deal_products as (
    select distinct
        deal_key,
        lower(trim(unnest([product_name, sku]))) as product
    from {{ ref('fct_quote_line') }}
    where deal_key is not null and not is_deleted
),

invoice_products as (
    select
        lines.invoice_line_key,
        lines.invoice_key,
        lines.net_amt,
        lower(trim(unnest([
            lines.line_description,
            {{ 'products.product_name' if has_source('stripe') else 'cast(null as varchar)' }},
            {{ 'products.crm_product_reference' if has_source('stripe')
                else 'cast(null as varchar)' }}
        ]))) as product
    from {{ ref('int_invoice_lines_current') }} as lines
    {% if has_source('stripe') %}
        left join (
            select *
            from {{ ref('stg_stripe__products') }}
            qualify
                row_number() over (
                    partition by product_key
                    order by observed_at desc, sync_id desc, position desc
                ) = 1
        ) as products
            on lines.product_key = products.product_key
    {% endif %}
    where
        lines.invoice_key in (select shared_links.invoice_key from shared_links)
        and lines.deal_reference is null
),

product_deals as (
    select
        invoice_products.invoice_line_key,
        invoice_products.invoice_key,
        min(invoice_products.net_amt) as net_amt,
        min(shared_links.deal_key) as deal_key
    from invoice_products
    inner join shared_links on invoice_products.invoice_key = shared_links.invoice_key
    inner join deal_products
        on
            shared_links.deal_key = deal_products.deal_key
            and invoice_products.product = deal_products.product
    group by invoice_products.invoice_line_key, invoice_products.invoice_key
    having count(distinct shared_links.deal_key) = 1
),

final as (
    select
        invoice_line_key,
        invoice_key,
        deal_key,
        net_amt
    from line_deals
    union all
    select
        invoice_line_key,
        invoice_key,
        deal_key,
        net_amt
    from product_deals
)

select * from final
