-- Grain: one row per line of the newest version of a QuickBooks estimate that has content; a
-- discount is a line below zero, a subtotal is none.

with versions as (
    select
        * exclude (is_deleted),
        max_by(is_deleted, (observed_at, sync_id, position)) over (partition by document_key)
            as is_deleted
    from {{ ref('stg_quickbooks__estimates') }}
),

newest as (
    select *
    from versions
    where has_content
    qualify
        row_number() over (
            partition by document_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

numbered as (
    select
        *,
        unnest(range(1, len(lines) + 1)) as number
    from newest
),

lines as (
    select
        * exclude (lines),
        lines[number] as line,
        -- Discounts bear no id.
        coalesce(lines[number].Id, concat(lines[number].DetailType, '-', number)) as line_id
    from numbered
)

select
    concat(document_key, ':', line_id) as quote_line_key,
    line_id,
    source_system,
    connection,
    document_key as stated_quote_key,
    case
        when not {{ quickbooks_is_shipping('line') }}
            then connection || ':' || nullif(line.SalesItemLineDetail.ItemRef.value, '')
    end as product_key,
    case
        when {{ quickbooks_is_shipping('line') }} then 'Shipping'
        else coalesce(line.SalesItemLineDetail.ItemRef.name, line.Description)
    end as product_name,
    currency_code,
    line.SalesItemLineDetail.Qty as quantity,
    cast(line.SalesItemLineDetail.UnitPrice as decimal(38, 12)) as unit_price_amt,
    cast(0 as {{ money_type() }}) as discount_amt,
    {{ quickbooks_line_net('line') }} as net_amt,
    {{ quickbooks_line_tax('line') }} as tax_amt,
    try_cast(line.SalesItemLineDetail.ServiceDate as date) as service_start,
    'upsert' as change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from lines
where {{ quickbooks_line_net('line') }} is not null
