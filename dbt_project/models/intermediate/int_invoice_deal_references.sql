-- Grain: one row per deal x kind of reference x value that the deal itself carries: kind is
-- po, quote, invoice or subscription; the value is an id or number of the billing side.

with deals as (
    select * from {{ ref('int_deal_references_unioned') }}
),

final as (
    select
        deal_key,
        'po' as reference_kind,
        po_number as reference
    from deals
    where po_number is not null
    union all
    select
        deal_key,
        'quote',
        quote_reference
    from deals
    where quote_reference is not null
    union all
    select
        deal_key,
        'invoice',
        invoice_reference
    from deals
    where invoice_reference is not null
    union all
    select
        deal_key,
        'subscription',
        subscription_reference
    from deals
    where subscription_reference is not null
)

select * from final
