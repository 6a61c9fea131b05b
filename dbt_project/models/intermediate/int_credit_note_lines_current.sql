-- Grain: one row per line of a current credit note, amounts positive; which invoice line it
-- credits where the source says so.

with credit_notes as (
    select * from {{ ref('int_credit_notes_current') }}
),

typed as (
    select
        cast(null as varchar) as credit_note_line_key,
        cast(null as varchar) as credit_note_key,
        cast(null as varchar) as invoice_line_key,
        cast(null as varchar) as line_description,
        cast(null as {{ money_type() }}) as net_amt,
        cast(null as {{ money_type() }}) as tax_amt
    where false
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

{% if has_source('chargebee') %}
    chargebee_pages as (
        select *
        from {{ ref('stg_chargebee__credit_note_line_pages') }}
        qualify
            row_number() over (
                partition by line_page_key
                order by observed_at desc, sync_id desc, position desc
            ) = 1
    ),

    chargebee_notes as (
        select notes.*
        from {{ ref('stg_chargebee__credit_notes') }} as notes
        inner join credit_notes on notes.raw_version_id = credit_notes.raw_version_id
    ),

    chargebee_lines as (
        select
            notes.* exclude (lines),
            unnest(notes.lines) as line
        from chargebee_notes as notes
        union all
        select
            notes.* exclude (lines),
            unnest(pages.lines) as line
        from chargebee_notes as notes
        inner join chargebee_pages as pages
            on
                notes.credit_note_key = pages.credit_note_key
                and notes.resource_version = pages.resource_version
    ),

    chargebee as (
        select
            lines.connection || ':' || lines.line.id as credit_note_line_key,
            lines.credit_note_key,
            lines.connection || ':' || nullif(lines.line.reference_line_item_id, '')
                as invoice_line_key,
            lines.line.description as line_description,
            {{ chargebee_money(
                'lines.line.amount - coalesce(lines.line.discount_amount, 0) - case'
                ~ ' when lines.is_tax_inclusive then coalesce(lines.line.tax_amount, 0)'
                ~ ' else 0 end', 'lines.currency_code') }} as net_amt,
            {{ chargebee_money('coalesce(lines.line.tax_amount, 0)', 'lines.currency_code') }}
                as tax_amt
        from chargebee_lines as lines
        where lines.line.id is not null
    ),
{% endif %}

final as (
    select * from typed
    {% if has_source('chargebee') %}
        union all
        select * from chargebee
    {% endif %}
    {% if has_source('stripe') %}
        union all
        select * from stripe
    {% endif %}
)

select * from final
