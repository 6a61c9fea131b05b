-- Grain: one row per invoice line x day on which a credit note, or the voiding of the invoice,
-- took from it. credited_amt has the sign of the line, except where a credit exceeds it.
--
-- A credit note's line follows the invoice line that it names; the rest of the note falls on
-- all lines of the invoice by their net. Voiding takes what is left of each line.

with invoices as (
    select *
    from {{ ref('int_invoices_valued') }}
    where is_billable
),

lines as (
    select
        invoice_lines.invoice_line_key,
        invoice_lines.invoice_key,
        invoice_lines.net_amt,
        invoices.currency_code,
        invoices.net_amt as invoice_net_amt,
        sum(invoice_lines.net_amt) over (
            partition by invoice_lines.invoice_key
            order by invoice_lines.invoice_line_key
            rows between unbounded preceding and current row
        ) as upto_amt
    from {{ ref('fct_invoice_line') }} as invoice_lines
    inner join invoices on invoice_lines.invoice_key = invoices.invoice_key
),

-- A credit in another currency is check B-07's; it cannot lower the invoice.
credit_notes as (
    select
        notes.credit_note_key,
        notes.invoice_key,
        notes.currency_code,
        notes.net_amt,
        notes.issue_date,
        notes.voided_date
    from {{ ref('int_credit_notes_current') }} as notes
    inner join invoices
        on
            notes.invoice_key = invoices.invoice_key
            and notes.currency_code = invoices.currency_code
),

named as (
    select
        credit_notes.credit_note_key,
        lines.invoice_line_key,
        sum(credit_lines.net_amt) as net_amt
    from {{ ref('int_credit_note_lines_current') }} as credit_lines
    inner join credit_notes on credit_lines.credit_note_key = credit_notes.credit_note_key
    inner join lines
        on
            credit_lines.invoice_line_key = lines.invoice_line_key
            and credit_notes.invoice_key = lines.invoice_key
    group by credit_notes.credit_note_key, lines.invoice_line_key
),

named_sums as (
    select
        credit_note_key,
        sum(net_amt) as net_amt
    from named
    group by credit_note_key
),

unnamed as (
    select
        credit_notes.*,
        credit_notes.net_amt - coalesce(named_sums.net_amt, 0) as rest_amt
    from credit_notes
    left join named_sums on credit_notes.credit_note_key = named_sums.credit_note_key
),

-- Differences of rounded running totals: the parts add up to the note.
spread as (
    select
        unnamed.credit_note_key,
        lines.invoice_line_key,
        {{ round_money(
            'cast(cast(unnamed.rest_amt as double) * cast(lines.upto_amt as double)'
            ~ ' / cast(lines.invoice_net_amt as double) as decimal(38, 9))',
            'unnamed.currency_code') }}
        - {{ round_money(
            'cast(cast(unnamed.rest_amt as double) * cast(lines.upto_amt - lines.net_amt as double)'
            ~ ' / cast(lines.invoice_net_amt as double) as decimal(38, 9))',
            'unnamed.currency_code') }} as net_amt
    from unnamed
    inner join lines on unnamed.invoice_key = lines.invoice_key
    where unnamed.rest_amt <> 0 and lines.invoice_net_amt <> 0
),

credits as (
    select
        parts.invoice_line_key,
        credit_notes.issue_date,
        credit_notes.voided_date,
        parts.net_amt
    from (
        select * from named
        union all
        select * from spread
    ) as parts
    inner join credit_notes on parts.credit_note_key = credit_notes.credit_note_key
),

taken as (
    select
        invoice_line_key,
        issue_date as credited_date,
        net_amt
    from credits
    union all
    select
        invoice_line_key,
        voided_date,
        -net_amt
    from credits
    where voided_date is not null
),

before_void as (
    select
        lines.invoice_line_key,
        invoices.voided_date,
        any_value(lines.net_amt) - coalesce(sum(taken.net_amt), 0) as net_amt
    from lines
    inner join invoices on lines.invoice_key = invoices.invoice_key
    left join taken
        on
            lines.invoice_line_key = taken.invoice_line_key
            and invoices.voided_date >= taken.credited_date
    where invoices.status = 'void'
    group by lines.invoice_line_key, invoices.voided_date
),

final as (
    select
        invoice_line_key,
        credited_date,
        cast(sum(net_amt) as {{ money_type() }}) as credited_amt
    from (
        select
            taken.invoice_line_key,
            taken.credited_date,
            taken.net_amt
        from taken
        left join before_void
            on taken.invoice_line_key = before_void.invoice_line_key
        -- After the void nothing of the line is left to credit.
        where before_void.voided_date is null or before_void.voided_date >= taken.credited_date
        union all
        select
            invoice_line_key,
            voided_date,
            net_amt
        from before_void
    ) as changes
    group by invoice_line_key, credited_date
    having sum(net_amt) <> 0
)

select * from final
