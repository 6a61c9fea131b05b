-- Grain: one row per line of an invoice as it stands, as the source states it. Net is after
-- discounts and without tax: gross less tax from the line, never gross / (1 + rate).

with invoices as (
    select * from {{ ref('int_invoices_current') }}
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
        lines.invoice_line_key,
        lines.invoice_key,
        lines.source_system,
        lines.connection,
        lines.raw_version_id,
        lines.line_description,
        lines.currency_code,
        lines.product_key,
        lines.deal_reference,
        lines.quantity,
        lines.unit_amount_minor,
        lines.amount_minor,
        lines.discount_minor,
        lines.credit_grant_minor,
        lines.tax_minor,
        lines.inclusive_tax_minor,
        lines.is_proration,
        lines.service_start_at,
        lines.service_end_at,
        lines.observed_at,
        lines.sync_id,
        lines.position
    {%- endset %}

    -- The lines inside the very version that is current: lines of a draft come and go.
    inline_lines as (
        select {{ columns }}
        from {{ ref('stg_stripe__invoice_inline_lines') }} as lines
        inner join invoices on lines.raw_version_id = invoices.raw_version_id
    ),

    listed_lines as (
        select {{ columns }}
        from {{ ref('stg_stripe__invoice_line_items') }} as lines
        inner join invoices on lines.invoice_key = invoices.invoice_key
        where invoices.has_more_lines and not lines.is_deleted
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
                partition by lines.invoice_line_key
                order by lines.observed_at desc, lines.sync_id desc, lines.position desc
            ) = 1
    ),

    stripe as (
        select
            stripe_lines.invoice_line_key,
            stripe_lines.invoice_key,
            stripe_lines.source_system,
            stripe_lines.connection,
            stripe_lines.raw_version_id,
            'item' as line_kind,
            stripe_lines.line_description,
            stripe_lines.product_key,
            stripe_lines.deal_reference,
            cast(stripe_lines.quantity as decimal(18, 6)) as quantity,
            {{ stripe_unit_price('stripe_lines.unit_amount_minor', 'stripe_scales.minor_digits') }}
                as unit_price_amt,
            {{ stripe_money('stripe_lines.amount_minor - stripe_lines.discount_minor'
                ~ ' - stripe_lines.credit_grant_minor - stripe_lines.inclusive_tax_minor',
                'stripe_scales.minor_digits') }} as net_amt,
            {{ stripe_money('stripe_lines.tax_minor', 'stripe_scales.minor_digits') }} as tax_amt,
            {{ stripe_money('stripe_lines.discount_minor', 'stripe_scales.minor_digits') }}
                as discount_amt,
            stripe_lines.is_proration,
            {{ company_date('stripe_lines.service_start_at') }} as service_start,
            -- Stripe's period ends at the instant at which the next one begins.
            greatest(
                {{ company_date("stripe_lines.service_end_at - interval '1 second'") }},
                {{ company_date('stripe_lines.service_start_at') }}
            ) as service_end
        from stripe_lines
        left join stripe_scales on stripe_lines.currency_code = stripe_scales.currency_code
    ),

    stripe_shipping as (
        select
            invoice_key || ':shipping' as invoice_line_key,
            invoice_key,
            source_system,
            connection,
            raw_version_id,
            'shipping' as line_kind,
            'Shipping' as line_description,
            cast(null as varchar) as product_key,
            cast(null as varchar) as deal_reference,
            cast(1 as decimal(18, 6)) as quantity,
            cast(shipping_amt as decimal(38, 12)) as unit_price_amt,
            shipping_amt as net_amt,
            cast(0 as {{ money_type() }}) as tax_amt,
            cast(0 as {{ money_type() }}) as discount_amt,
            false as is_proration,
            cast(null as date) as service_start,
            cast(null as date) as service_end
        from invoices
        where source_system = 'stripe' and shipping_amt <> 0
    ),
{% endif %}

listed as (
    select * from {{ ref('int_invoice_lines_unioned') }}
),

newest as (
    select *
    from listed
    qualify
        row_number() over (
            partition by invoice_line_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

stated as (
    select
        newest.invoice_line_key,
        newest.invoice_key,
        newest.source_system,
        newest.connection,
        newest.raw_version_id,
        newest.line_kind,
        newest.line_description,
        newest.product_key,
        newest.deal_reference,
        newest.quantity,
        newest.unit_price_amt,
        newest.net_amt,
        newest.tax_amt,
        newest.discount_amt,
        newest.is_proration,
        newest.service_start,
        newest.service_end
    from newest
    inner join invoices on newest.invoice_key = invoices.invoice_key
    where not newest.is_deleted
),

final as (
    select * from stated
    {% if has_source('stripe') %}
        union all
        select * from stripe
        union all
        select * from stripe_shipping
    {% endif %}
)

select * from final
