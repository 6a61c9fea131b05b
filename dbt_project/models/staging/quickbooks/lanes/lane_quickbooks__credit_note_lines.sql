-- Grain: one row per line of the newest version of a credit memo or refund receipt.

with documents as (
    select * from {{ ref('stg_quickbooks__credit_memos') }}
    union all by name
    select * from {{ ref('stg_quickbooks__refund_receipts') }}
),

newest as (
    select *
    from documents
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
        lines[number] as line
    from numbered
)

select
    concat(document_key, ':', coalesce(line.Id, concat(line.DetailType, '-', number)))
        as credit_note_line_key,
    document_key as credit_note_key,
    source_system,
    connection,
    raw_version_id,
    coalesce(line.Description, line.SalesItemLineDetail.ItemRef.name) as line_description,
    {{ quickbooks_line_net('line') }} as net_amt,
    {{ quickbooks_line_tax('line') }} as tax_amt,
    is_deleted,
    observed_at,
    sync_id,
    position
from lines
where {{ quickbooks_line_net('line') }} is not null
