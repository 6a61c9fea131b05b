-- Grain: one row per line of a credit note, plus one for what its lines do not explain.

with credit_notes as (
    select * from {{ ref('int_credit_notes_current') }}
),

lines as (
    select * from {{ ref('int_credit_note_lines_current') }}
),

line_sums as (
    select
        credit_note_key,
        sum(net_amt) as net_amt,
        sum(tax_amt) as tax_amt
    from lines
    group by credit_note_key
),

all_lines as (
    select
        credit_note_line_key,
        credit_note_key,
        invoice_line_key,
        'item' as line_kind,
        line_description,
        net_amt,
        tax_amt
    from lines
    union all
    select
        credit_notes.credit_note_key || ':rest',
        credit_notes.credit_note_key,
        cast(null as varchar),
        case
            when line_sums.credit_note_key is null then 'whole_credit_note'
            else 'rounding_or_unexplained'
        end,
        cast(null as varchar),
        cast(credit_notes.net_amt - coalesce(line_sums.net_amt, 0) as {{ money_type() }}),
        cast(credit_notes.tax_amt - coalesce(line_sums.tax_amt, 0) as {{ money_type() }})
    from credit_notes
    left join line_sums on credit_notes.credit_note_key = line_sums.credit_note_key
    where
        line_sums.credit_note_key is null
        or credit_notes.net_amt <> line_sums.net_amt
        or credit_notes.tax_amt <> line_sums.tax_amt
),

final as (
    select
        all_lines.credit_note_line_key,
        all_lines.credit_note_key,
        all_lines.invoice_line_key,
        all_lines.line_kind,
        all_lines.line_description,
        credit_notes.currency_code,
        credit_notes.source_system,
        credit_notes.connection,
        credit_notes.raw_version_id,
        all_lines.net_amt,
        all_lines.tax_amt,
        credit_notes.is_deleted
    from all_lines
    inner join credit_notes on all_lines.credit_note_key = credit_notes.credit_note_key
)

select * from final
