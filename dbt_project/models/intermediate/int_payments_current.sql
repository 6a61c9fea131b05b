-- Grain: one row per payment received by the as-of date: Stripe charges, payments
-- that other sources state, and the payments that exist only as a mark or a sum on their invoice (out of band, implied).
-- amount_amt is what the payer paid; the fee withheld from it is its own column.

with invoices as (
    select * from {{ ref('int_invoices_current') }}
),

settlements as (
    select * from {{ ref('int_invoice_settlements') }}
),

{% if has_source('stripe') %}
    stripe as (
        select
            payment_key,
            source_system,
            connection,
            raw_version_id,
            customer_key,
            method,
            currency_code,
            settled_currency_code,
            amount_amt,
            fee_amt,
            settled_gross_amt,
            settled_net_amt,
            false as is_out_of_band,
            is_disputed,
            paid_date,
            cast(null as date) as not_before_date
        from {{ ref('int_payments_stripe') }}
    ),
{% endif %}

-- Newest word on each payment.
stated_payments as (
    select *
    from {{ ref('int_payments_unioned') }}
    qualify
        row_number() over (
            partition by payment_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

stated as (
    select
        payment_key,
        source_system,
        connection,
        raw_version_id,
        customer_key,
        coalesce(method, 'unknown') as method,
        currency_code,
        coalesce(settled_currency_code, currency_code) as settled_currency_code,
        amount_amt,
        fee_amt,
        cast(settled_net_amt + coalesce(fee_amt, 0) as {{ money_type() }}) as settled_gross_amt,
        settled_net_amt,
        false as is_out_of_band,
        false as is_disputed,
        paid_date,
        cast(null as date) as not_before_date
    from stated_payments
    where not is_deleted and status = 'succeeded' and paid_date <= {{ as_of_date() }}
),

objects as (
    select payment_key from stated_payments
    {% if has_source('stripe') %}
        union all
        select payment_key from stripe
    {% endif %}
),

-- Payments that no payment object stands for: one row per payment key.
unobjected as (
    select
        settlements.payment_key,
        any_value(invoices.source_system) as source_system,
        any_value(invoices.connection) as connection,
        min(settlements.raw_version_id) as raw_version_id,
        min(invoices.customer_key) as customer_key,
        case min(settlements.settlement_basis)
            when 'out_of_band' then 'out_of_band'
            when 'implied' then 'implied'
            else 'unknown'
        end as method,
        min(invoices.currency_code) as currency_code,
        min(invoices.currency_code) as settled_currency_code,
        cast(sum(settlements.applied_amt) as {{ money_type() }}) as amount_amt,
        cast(null as {{ money_type() }}) as fee_amt,
        cast(null as {{ money_type() }}) as settled_gross_amt,
        cast(null as {{ money_type() }}) as settled_net_amt,
        true as is_out_of_band,
        false as is_disputed,
        min(settlements.applied_date) as paid_date,
        min(settlements.not_before_date) as not_before_date
    from settlements
    inner join invoices on settlements.invoice_key = invoices.invoice_key
    where
        settlements.payment_key is not null
        and settlements.payment_key not in (
            select objects.payment_key from objects
            where objects.payment_key is not null
        )
    group by settlements.payment_key
),

final as (
    select * from stated
    {% if has_source('stripe') %}
        union all
        select * from stripe
    {% endif %}
    union all
    select * from unobjected
)

select * from final
