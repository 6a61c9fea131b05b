-- Grain: one row per version of an invoice, of every source; money in major units of
-- currency_code. Status: draft, open, paid, written_off, void.

with typed as (
    select
        cast(null as varchar) as invoice_key,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as raw_version_id,
        cast(null as varchar) as invoice_id,
        cast(null as varchar) as invoice_number,
        cast(null as varchar) as status,
        cast(null as varchar) as kind,
        cast(null as varchar) as customer_key,
        cast(null as varchar) as customer_name,
        cast(null as varchar) as customer_email,
        cast(null as varchar) as company_reference,
        cast(null as varchar) as subscription_key,
        cast(null as varchar) as quote_key,
        cast(null as varchar) as po_number,
        cast(null as varchar) as memo,
        cast(null as varchar) as deal_reference,
        cast(null as varchar) as subscription_deal_reference,
        cast(null as varchar) as superseded_by,
        cast(null as varchar) as charge_key,
        cast(null as varchar) as payment_intent_key,
        cast(null as varchar) as currency_code,
        cast(null as {{ money_type() }}) as net_amt,
        cast(null as {{ money_type() }}) as tax_amt,
        cast(null as {{ money_type() }}) as gross_amt,
        cast(null as {{ money_type() }}) as discount_amt,
        cast(null as {{ money_type() }}) as shipping_amt,
        cast(null as {{ money_type() }}) as source_balance_amt,
        cast(null as {{ money_type() }}) as source_paid_amt,
        cast(null as {{ money_type() }}) as overpaid_amt,
        cast(null as {{ money_type() }}) as applied_balance_amt,
        cast(null as decimal(18, 9)) as document_rate_to_rc,
        cast(null as boolean) as is_paid_out_of_band,
        cast(null as boolean) as is_subscription_start,
        cast(null as boolean) as has_more_lines,
        cast(null as boolean) as is_deleted,
        cast(null as date) as issue_date,
        cast(null as date) as due_date,
        cast(null as date) as voided_date,
        cast(null as date) as written_off_date,
        cast(null as date) as paid_date,
        cast(null as date) as service_start,
        cast(null as date) as service_end,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position
    where false
),

{% if has_source('stripe') %}
    stripe_scales as (
        select * from {{ ref('stripe_currency_scales') }}
    ),

    stripe_invoices as (
        select
            invoices.*,
            stripe_scales.minor_digits
        from {{ ref('stg_stripe__invoices') }} as invoices
        left join stripe_scales
            on
                invoices.currency_code = stripe_scales.currency_code
                and cast(invoices.created_at as date) >= stripe_scales.valid_from
                and (
                    stripe_scales.valid_to is null
                    or cast(invoices.created_at as date) < stripe_scales.valid_to
                )
    ),

    stripe as (
        select
            invoice_key,
            source_system,
            connection,
            raw_version_id,
            invoice_id,
            invoice_number,
            case status when 'uncollectible' then 'written_off' else status end as status,
            case
                when lower(stated_kind) in ('deposit', 'prepayment', 'down_payment') then 'deposit'
                when lower(stated_kind) in ('standard', 'recurring', 'self_serve')
                    then lower(stated_kind)
                when lower(channel) in ('self_serve', 'self-serve', 'checkout') then 'self_serve'
                when billing_reason like 'subscription%' then 'recurring'
                else 'standard'
            end as kind,
            customer_key,
            customer_name,
            customer_email,
            cast(null as varchar) as company_reference,
            subscription_key,
            quote_key,
            po_number,
            nullif(memo, '') as memo,
            deal_reference,
            subscription_deal_reference,
            superseded_by,
            charge_key,
            payment_intent_key,
            currency_code,
            -- Before total_excluding_tax existed: total less all taxes, the inclusive ones too.
            {{ stripe_money('coalesce(total_excluding_tax_minor, total_minor - '
                ~ 'coalesce(tax_minor, 0))', 'minor_digits') }} as net_amt,
            {{ stripe_money('coalesce(tax_minor, total_minor - '
                ~ 'coalesce(total_excluding_tax_minor, total_minor))', 'minor_digits') }}
                as tax_amt,
            {{ stripe_money('total_minor', 'minor_digits') }} as gross_amt,
            {{ stripe_money('coalesce(discount_minor, 0)', 'minor_digits') }} as discount_amt,
            {{ stripe_money('coalesce(amount_shipping_minor, 0)', 'minor_digits') }}
                as shipping_amt,
            {{ stripe_money('amount_remaining_minor', 'minor_digits') }} as source_balance_amt,
            {{ stripe_money('amount_paid_minor', 'minor_digits') }} as source_paid_amt,
            {{ stripe_money('coalesce(amount_overpaid_minor, 0)', 'minor_digits') }}
                as overpaid_amt,
            -- A negative customer balance is credit; using it up lowers what is due.
            {{ stripe_money('ending_balance_minor - starting_balance_minor', 'minor_digits') }}
                as applied_balance_amt,
            cast(null as decimal(18, 9)) as document_rate_to_rc,
            is_paid_out_of_band,
            billing_reason = 'subscription_create' as is_subscription_start,
            has_more_lines,
            is_deleted,
            {{ company_date('issued_at') }} as issue_date,
            coalesce(
                {{ company_date('due_at') }},
                -- Charged at once: due on the day of issue.
                case
                    when collection_method = 'charge_automatically'
                        then {{ company_date('issued_at') }}
                end
            ) as due_date,
            {{ company_date('voided_at') }} as voided_date,
            {{ company_date('written_off_at') }} as written_off_date,
            {{ company_date('paid_at') }} as paid_date,
            cast(null as date) as service_start,
            cast(null as date) as service_end,
            observed_at,
            sync_id,
            position
        from stripe_invoices
    ),
{% endif %}

{% if has_source('files') %}
    files_invoices as (
        select
            *,
            coalesce(net_amt, gross_amt - coalesce(tax_amt, 0)) as stated_net_amt
        from {{ ref('stg_files__invoices') }}
    ),

    files as (
        select
            invoice_key,
            source_system,
            connection,
            raw_version_id,
            invoice_number as invoice_id,
            invoice_number,
            case
                when status in ('void', 'voided', 'canceled', 'cancelled') then 'void'
                when status in ('written_off', 'uncollectible') then 'written_off'
                when status in ('draft', 'paid') then status
                when status is not null then 'open'
                when voided_date is not null then 'void'
                when written_off_date is not null then 'written_off'
                when paid_date is not null then 'paid'
                else 'open'
            end as status,
            case
                when kind in ('standard', 'deposit', 'recurring', 'self_serve') then kind
                when subscription_id is not null then 'recurring'
                else 'standard'
            end as kind,
            connection || ':' || company_id as customer_key,
            company_name as customer_name,
            company_email as customer_email,
            connection || ':' || company_id as company_reference,
            connection || ':' || subscription_id as subscription_key,
            connection || ':' || quote_id as quote_key,
            po_number,
            description as memo,
            deal_ref as deal_reference,
            cast(null as varchar) as subscription_deal_reference,
            superseded_by,
            cast(null as varchar) as charge_key,
            cast(null as varchar) as payment_intent_key,
            currency_code,
            cast(stated_net_amt as {{ money_type() }}) as net_amt,
            cast(coalesce(tax_amt, gross_amt - net_amt, 0) as {{ money_type() }}) as tax_amt,
            cast(coalesce(gross_amt, net_amt + coalesce(tax_amt, 0)) as {{ money_type() }})
                as gross_amt,
            coalesce(discount_amt, 0) as discount_amt,
            cast(0 as {{ money_type() }}) as shipping_amt,
            balance_amt as source_balance_amt,
            cast(null as {{ money_type() }}) as source_paid_amt,
            cast(0 as {{ money_type() }}) as overpaid_amt,
            cast(null as {{ money_type() }}) as applied_balance_amt,
            rate_to_rc as document_rate_to_rc,
            false as is_paid_out_of_band,
            false as is_subscription_start,
            false as has_more_lines,
            is_deleted,
            issue_date,
            due_date,
            voided_date,
            written_off_date,
            paid_date,
            service_start_date as service_start,
            service_end_date as service_end,
            observed_at,
            sync_id,
            position
        from files_invoices
    ),
{% endif %}

final as (
    select * from typed
    {% if has_source('stripe') %}
        union all
        select * from stripe
    {% endif %}
    {% if has_source('files') %}
        union all
        select * from files
    {% endif %}
)

select * from final
