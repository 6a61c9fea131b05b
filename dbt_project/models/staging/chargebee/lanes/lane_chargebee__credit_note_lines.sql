-- Grain: one row per line of the newest version of a Chargebee credit note; those that the note
-- does not show lie in pages of the same version.

with notes as (
    select *
    from {{ ref('stg_chargebee__credit_notes') }}
    qualify
        row_number() over (
            partition by credit_note_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

pages as (
    select *
    from {{ ref('stg_chargebee__credit_note_line_pages') }}
    qualify
        row_number() over (
            partition by line_page_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

lines as (
    select
        notes.* exclude (lines),
        unnest(notes.lines) as line
    from notes
    union all
    select
        notes.* exclude (lines),
        unnest(pages.lines) as line
    from notes
    inner join pages
        on
            notes.credit_note_key = pages.credit_note_key
            and notes.resource_version = pages.resource_version
)

select
    concat(lines.connection, ':', lines.line.id) as credit_note_line_key,
    lines.credit_note_key,
    lines.connection || ':' || nullif(lines.line.reference_line_item_id, '') as invoice_line_key,
    lines.source_system,
    lines.connection,
    lines.raw_version_id,
    lines.line.description as line_description,
    {{ chargebee_money(
        'lines.line.amount - coalesce(lines.line.discount_amount, 0) - case'
        ~ ' when lines.is_tax_inclusive then coalesce(lines.line.tax_amount, 0) else 0 end',
        'lines.currency_code') }} as net_amt,
    {{ chargebee_money('coalesce(lines.line.tax_amount, 0)', 'lines.currency_code') }} as tax_amt,
    lines.is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position
from lines
where lines.line.id is not null
