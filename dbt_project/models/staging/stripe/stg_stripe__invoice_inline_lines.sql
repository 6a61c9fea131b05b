-- Grain: one row per version of an invoice x line inside it: all lines where the invoice has
-- ten or fewer, else the first ten (the rest: stg_stripe__invoice_line_items).

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'test_clock': 'VARCHAR',
            'lines': {'data': [{
                'id': 'VARCHAR',
                'amount': 'BIGINT',
                'currency': 'VARCHAR',
                'description': 'VARCHAR',
                'metadata': 'JSON',
                'discount_amounts': [{'amount': 'BIGINT'}],
                'pretax_credit_amounts': [{'amount': 'BIGINT', 'type': 'VARCHAR'}],
                'period': {'start': 'BIGINT', 'end': 'BIGINT'},
                'quantity': 'BIGINT',
                'quantity_decimal': 'DECIMAL(38,12)',
                'pricing': {
                    'price_details': {'price': 'VARCHAR', 'product': 'VARCHAR'},
                    'unit_amount_decimal': 'DECIMAL(38,12)',
                },
                'parent': {
                    'invoice_item_details': {'proration': 'BOOLEAN'},
                    'subscription_item_details': {'proration': 'BOOLEAN'},
                },
                'taxes': [{'amount': 'BIGINT', 'tax_behavior': 'VARCHAR'}],
                'price': {
                    'id': 'VARCHAR',
                    'product': 'VARCHAR',
                    'unit_amount_decimal': 'DECIMAL(38,12)',
                },
                'proration': 'BOOLEAN',
                'tax_amounts': [{'amount': 'BIGINT', 'inclusive': 'BOOLEAN'}],
            }]},
        }) }} as body
    from {{ raw_source('stripe__invoices') }}
),

unfolded as (
    select
        versions.* exclude (body),
        unnest(versions.body.lines.data) as line
    from versions
    where versions.body.test_clock is null
),

final as (
    select
        unfolded.connection || ':' || unfolded.line.id as invoice_line_key,
        unfolded.connection || ':' || unfolded.record_id as invoice_key,
        unfolded.line.id as line_id,
        unfolded.line.description as line_description,
        upper(unfolded.line.currency) as currency_code,
        unfolded.connection || ':' || coalesce(
            unfolded.line.pricing.price_details.product,
            {{ stripe_id('unfolded.line.price.product') }}
        ) as product_key,
        coalesce(unfolded.line.pricing.price_details.price, unfolded.line.price.id) as price_id,
        {{ stripe_deal_reference('unfolded.line.metadata') }} as deal_reference,
        unfolded.line.amount as amount_minor,
        coalesce({{ stripe_list_sum('unfolded.line.discount_amounts', 'amount') }}, 0)
            as discount_minor,
        coalesce({{ list_total(
            'unfolded.line.pretax_credit_amounts',
            "case when x.type = 'credit_balance_transaction' then x.amount else 0 end", 'x'
        ) }}, 0) as credit_grant_minor,
        coalesce(
            {{ stripe_list_sum('unfolded.line.taxes', 'amount') }},
            {{ stripe_list_sum('unfolded.line.tax_amounts', 'amount') }},
            0
        ) as tax_minor,
        coalesce(
            {{ list_total(
                'unfolded.line.taxes',
                "case when x.tax_behavior = 'inclusive' then x.amount else 0 end", 'x'
            ) }},
            {{ list_total(
                'unfolded.line.tax_amounts', 'case when x.inclusive then x.amount else 0 end', 'x'
            ) }},
            0
        ) as inclusive_tax_minor,
        coalesce(unfolded.line.pricing.unit_amount_decimal, unfolded.line.price.unit_amount_decimal)
            as unit_amount_minor,
        -- `quantity` is cut to a whole number, the decimal is not.
        coalesce(unfolded.line.quantity_decimal, unfolded.line.quantity) as quantity,
        coalesce(
            unfolded.line.parent.invoice_item_details.proration,
            unfolded.line.parent.subscription_item_details.proration,
            unfolded.line.proration,
            false
        ) as is_proration,
        {{ stripe_instant('unfolded.line.period.start') }} as service_start_at,
        {{ stripe_instant('unfolded.line.period.end') }} as service_end_at,
        unfolded.raw_version_id,
        'stripe' as source_system,
        unfolded.connection,
        unfolded.change <> 'upsert' as is_deleted,
        unfolded.source_updated_at,
        unfolded.observed_at,
        unfolded.sync_id,
        unfolded.position
    from unfolded
)

select * from final
