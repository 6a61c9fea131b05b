-- Grain: one row per line of a QuickBooks invoice or sales receipt x version of it since the line
-- was first seen; a line left out is one that is gone. QuickBooks says the tax of a document; that
-- of a line only where prices hold it. A discount is a line below zero; a subtotal is none.

with documents as (
    select * from {{ ref('stg_quickbooks__invoices') }}
    union all by name
    select * from {{ ref('stg_quickbooks__sales_receipts') }}
),

numbered as (
    select
        *,
        unnest(range(1, len(lines) + 1)) as number
    from documents
    where has_content
),

listed as (
    select
        document_key,
        raw_version_id,
        observed_at,
        sync_id,
        position,
        lines[number] as line,
        -- Discounts bear no id.
        coalesce(lines[number].Id, concat(lines[number].DetailType, '-', number)) as line_id
    from numbered
    where {{ quickbooks_line_net('lines[number]') }} is not null
),

known as (
    select
        document_key,
        line_id,
        arg_max(line, (observed_at, sync_id, position)) as last_shown,
        min((observed_at, sync_id, position)) as first_shown
    from listed
    group by document_key, line_id
),

versions as (
    select
        documents.*,
        known.line_id,
        listed.line is null or documents.is_deleted as is_line_gone,
        coalesce(listed.line, known.last_shown) as line
    from documents
    inner join known
        on
            documents.document_key = known.document_key
            and (documents.observed_at, documents.sync_id, documents.position) >= known.first_shown
    left join listed
        on
            documents.raw_version_id = listed.raw_version_id
            and known.line_id = listed.line_id
)

select
    concat(document_key, ':', line_id) as invoice_line_key,
    document_key as invoice_key,
    source_system,
    connection,
    raw_version_id,
    case when {{ quickbooks_is_shipping('line') }} then 'shipping' else 'item' end as line_kind,
    case
        when {{ quickbooks_is_shipping('line') }} then coalesce(line.Description, 'Shipping')
        else coalesce(line.Description, line.SalesItemLineDetail.ItemRef.name)
    end as line_description,
    case
        when not {{ quickbooks_is_shipping('line') }}
            then connection || ':' || nullif(line.SalesItemLineDetail.ItemRef.value, '')
    end as product_key,
    line.SalesItemLineDetail.Qty as quantity,
    cast(line.SalesItemLineDetail.UnitPrice as decimal(38, 12)) as unit_price_amt,
    {{ quickbooks_line_net('line') }} as net_amt,
    {{ quickbooks_line_tax('line') }} as tax_amt,
    cast(0 as {{ money_type() }}) as discount_amt,
    false as is_proration,
    is_line_gone as is_deleted,
    try_cast(line.SalesItemLineDetail.ServiceDate as date) as service_start,
    observed_at,
    sync_id,
    position
from versions
