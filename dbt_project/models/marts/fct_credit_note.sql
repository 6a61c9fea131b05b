-- Grain: one row per credit note. Valued at its invoice's rate, so that an invoice credited
-- in full is nothing in the reporting currency too.

with credit_notes as (
    select * from {{ ref('int_credit_notes_current') }}
),

invoices as (
    select
        invoice_key,
        company_key,
        currency_code,
        rate_to_rc
    from {{ ref('int_invoices_valued') }}
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

rated as (
    select
        credit_notes.*,
        invoices.company_key,
        case
            when invoices.currency_code = credit_notes.currency_code then invoices.rate_to_rc
            else rates.rate_to_rc
        end as rate_to_rc
    from credit_notes
    left join invoices on credit_notes.invoice_key = invoices.invoice_key
    left join rates
        on
            credit_notes.currency_code = rates.currency_code
            and credit_notes.issue_date = rates.rate_date
),

final as (
    select
        credit_note_key,
        invoice_key,
        customer_key,
        company_key,
        credit_note_number as number,
        status,
        reason,
        currency_code,
        source_system,
        connection,
        raw_version_id,
        net_amt,
        tax_amt,
        gross_amt,
        pre_payment_amt,
        refunded_amt,
        credited_to_balance_amt,
        out_of_band_amt,
        {{ convert_money('net_amt', 'rate_to_rc', "'" ~ var('reporting_currency') ~ "'") }}
            as net_rc,
        rate_to_rc,
        is_deleted,
        issue_date,
        voided_date
    from rated
)

select * from final
