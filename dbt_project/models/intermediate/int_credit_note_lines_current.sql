-- Grain: one row per line of a current credit note, amounts positive; which invoice line it
-- credits where the source says so.

with credit_notes as (
    select * from {{ ref('int_credit_notes_current') }}
),

newest as (
    select *
    from {{ ref('int_credit_note_lines_unioned') }}
    qualify
        row_number() over (
            partition by credit_note_line_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

stated as (
    select
        newest.credit_note_line_key,
        newest.credit_note_key,
        newest.invoice_line_key,
        newest.line_description,
        newest.net_amt,
        newest.tax_amt
    from newest
    inner join credit_notes on newest.credit_note_key = credit_notes.credit_note_key
    where not newest.is_deleted
),

{% if has_source('stripe') %}
    stripe_scales as (
        select
            currency_code,
            minor_digits
        from {{ ref('stripe_currency_scales') }}
        where valid_to is null
    ),

    {%- set columns %}
        lines.credit_note_line_key,
        lines.credit_note_key,
        lines.invoice_line_key,
        lines.line_description,
        lines.amount_minor,
        lines.discount_minor,
        lines.tax_minor,
        lines.inclusive_tax_minor,
        lines.observed_at,
        lines.sync_id,
        lines.position,
        credit_notes.currency_code
    {%- endset %}

    inline_lines as (
        select {{ columns }}
        from {{ ref('stg_stripe__credit_note_inline_lines') }} as lines
        inner join credit_notes on lines.raw_version_id = credit_notes.raw_version_id
    ),

    -- Lines of an issued note never change, so every one that landed is still its own.
    listed_lines as (
        select {{ columns }}
        from {{ ref('stg_stripe__credit_note_line_items') }} as lines
        inner join credit_notes on lines.credit_note_key = credit_notes.credit_note_key
        where not lines.is_deleted
    ),

    stripe_lines as (
        select *
        from (
            select * from inline_lines
            union all
            select * from listed_lines
        ) as lines
        qualify
            row_number() over (
                partition by lines.credit_note_line_key
                order by lines.observed_at desc, lines.sync_id desc, lines.position desc
            ) = 1
    ),

    stripe as (
        select
            lines.credit_note_line_key,
            lines.credit_note_key,
            lines.invoice_line_key,
            lines.line_description,
            {{ stripe_money('lines.amount_minor - lines.discount_minor'
                ~ ' - lines.inclusive_tax_minor', 'stripe_scales.minor_digits') }} as net_amt,
            {{ stripe_money('lines.tax_minor', 'stripe_scales.minor_digits') }} as tax_amt
        from stripe_lines as lines
        left join stripe_scales on lines.currency_code = stripe_scales.currency_code
    ),
{% endif %}

final as (
    select * from stated
    {% if has_source('stripe') %}
        union all
        select * from stripe
    {% endif %}
)

select * from final
