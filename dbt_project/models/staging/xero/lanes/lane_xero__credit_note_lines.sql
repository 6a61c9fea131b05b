-- Grain: one row per line of the newest version of a credit note to a customer.

with notes as (
    select *
    from {{ ref('stg_xero__credit_notes') }}
    qualify
        row_number() over (
            partition by credit_note_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

numbered as (
    select
        *,
        unnest(range(1, len(lines) + 1)) as number
    from notes
    where document_type = 'ACCRECCREDIT'
),

lines as (
    select
        * exclude (lines),
        lines[number] as line
    from numbered
)

select
    concat(
        connection, ':', coalesce(line.LineItemID, concat(credit_note_id, ':', number))
    ) as credit_note_line_key,
    credit_note_key,
    source_system,
    connection,
    raw_version_id,
    line.Description as line_description,
    {{ xero_line_net('line', 'is_tax_inclusive') }} as net_amt,
    coalesce(line.TaxAmount, 0) as tax_amt,
    is_deleted,
    observed_at,
    sync_id,
    position
from lines
where line.LineAmount is not null
