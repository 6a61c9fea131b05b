-- Grain: one row per version of an invoice line read from the invoice's own list of lines,
-- which is asked when an invoice has more than its inline ten.

with versions as (
    select
        *,
        {{ json_struct('payload', {
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
            'invoice': 'VARCHAR',
        }) }} as body
    from {{ raw_source('stripe__invoice_line_items') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as invoice_line_key,
        versions.connection || ':' || {{ stripe_id('versions.body.invoice') }} as invoice_key,
        versions.body.id as line_id,
        versions.body.description as line_description,
        upper(versions.body.currency) as currency_code,
        versions.connection || ':' || coalesce(
            versions.body.pricing.price_details.product,
            {{ stripe_id('versions.body.price.product') }}
        ) as product_key,
        coalesce(versions.body.pricing.price_details.price, versions.body.price.id) as price_id,
        {{ stripe_deal_reference('versions.body.metadata') }} as deal_reference,
        versions.body.amount as amount_minor,
        coalesce({{ stripe_list_sum('versions.body.discount_amounts', 'amount') }}, 0)
            as discount_minor,
        coalesce({{ list_total(
            'versions.body.pretax_credit_amounts',
            "case when x.type = 'credit_balance_transaction' then x.amount else 0 end", 'x'
        ) }}, 0) as credit_grant_minor,
        coalesce(
            {{ stripe_list_sum('versions.body.taxes', 'amount') }},
            {{ stripe_list_sum('versions.body.tax_amounts', 'amount') }},
            0
        ) as tax_minor,
        coalesce(
            {{ list_total(
                'versions.body.taxes',
                "case when x.tax_behavior = 'inclusive' then x.amount else 0 end", 'x'
            ) }},
            {{ list_total(
                'versions.body.tax_amounts', 'case when x.inclusive then x.amount else 0 end', 'x'
            ) }},
            0
        ) as inclusive_tax_minor,
        coalesce(versions.body.pricing.unit_amount_decimal, versions.body.price.unit_amount_decimal)
            as unit_amount_minor,
        -- `quantity` is cut to a whole number, the decimal is not.
        coalesce(versions.body.quantity_decimal, versions.body.quantity) as quantity,
        coalesce(
            versions.body.parent.invoice_item_details.proration,
            versions.body.parent.subscription_item_details.proration,
            versions.body.proration,
            false
        ) as is_proration,
        {{ stripe_instant('versions.body.period.start') }} as service_start_at,
        {{ stripe_instant('versions.body.period.end') }} as service_end_at,
        versions.raw_version_id,
        'stripe' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
