-- Grain: one row per version of an invoice; money in Stripe's minor units.
-- Reads the shapes before and after 2025-03-31: `subscription`, `charge`, `payment_intent`,
-- `paid_out_of_band` and `quote` stood on the invoice, later under parent and payments.
-- Invoices of a test clock are no invoices. The lines and payments inside are unfolded by
-- stg_stripe__invoice_inline_lines and stg_stripe__invoice_inline_payments.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'number': 'VARCHAR',
            'status': 'VARCHAR',
            'billing_reason': 'VARCHAR',
            'collection_method': 'VARCHAR',
            'currency': 'VARCHAR',
            'customer': 'VARCHAR',
            'customer_name': 'VARCHAR',
            'customer_email': 'VARCHAR',
            'description': 'VARCHAR',
            'footer': 'VARCHAR',
            'custom_fields': [{'name': 'VARCHAR', 'value': 'VARCHAR'}],
            'metadata': 'JSON',
            'parent': {
                'quote_details': {'quote': 'VARCHAR'},
                'subscription_details': {'subscription': 'VARCHAR', 'metadata': 'JSON'},
            },
            'subscription_details': {'metadata': 'JSON'},
            'subscription': 'VARCHAR',
            'quote': 'VARCHAR',
            'charge': 'VARCHAR',
            'payment_intent': 'VARCHAR',
            'paid_out_of_band': 'BOOLEAN',
            'subtotal': 'BIGINT',
            'total': 'BIGINT',
            'total_excluding_tax': 'BIGINT',
            'tax': 'BIGINT',
            'amount_due': 'BIGINT',
            'amount_paid': 'BIGINT',
            'amount_remaining': 'BIGINT',
            'amount_overpaid': 'BIGINT',
            'amount_shipping': 'BIGINT',
            'starting_balance': 'BIGINT',
            'ending_balance': 'BIGINT',
            'total_taxes': [{'amount': 'BIGINT'}],
            'total_tax_amounts': [{'amount': 'BIGINT'}],
            'total_discount_amounts': [{'amount': 'BIGINT'}],
            'lines': {'has_more': 'BOOLEAN'},
            'created': 'BIGINT',
            'due_date': 'BIGINT',
            'effective_at': 'BIGINT',
            'status_transitions': {
                'finalized_at': 'BIGINT',
                'marked_uncollectible_at': 'BIGINT',
                'paid_at': 'BIGINT',
                'voided_at': 'BIGINT',
            },
            'test_clock': 'VARCHAR',
        }) }} as body
    from {{ raw_source('stripe__invoices') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as invoice_key,
        versions.record_id as invoice_id,
        versions.body.number as invoice_number,
        versions.body.status as status,
        versions.body.billing_reason as billing_reason,
        versions.body.collection_method as collection_method,
        upper(versions.body.currency) as currency_code,
        versions.connection || ':' || {{ stripe_id('versions.body.customer') }} as customer_key,
        versions.body.customer_name as customer_name,
        lower(nullif(trim(versions.body.customer_email), '')) as customer_email,
        versions.connection || ':' || coalesce(
            {{ stripe_id('versions.body.parent.subscription_details.subscription') }},
            {{ stripe_id('versions.body.subscription') }}
        ) as subscription_key,
        versions.connection || ':' || coalesce(
            {{ stripe_id('versions.body.parent.quote_details.quote') }},
            {{ stripe_id('versions.body.quote') }}
        ) as quote_key,
        versions.connection || ':' || {{ stripe_id('versions.body.charge') }} as charge_key,
        versions.connection || ':' || {{ stripe_id('versions.body.payment_intent') }}
            as payment_intent_key,
        {{ stripe_deal_reference('versions.body.metadata') }} as deal_reference,
        coalesce(
            {{ stripe_deal_reference('versions.body.parent.subscription_details.metadata') }},
            {{ stripe_deal_reference('versions.body.subscription_details.metadata') }}
        ) as subscription_deal_reference,
        nullif(trim(json_extract_string(versions.body.metadata, '$.kind')), '') as stated_kind,
        nullif(trim(json_extract_string(versions.body.metadata, '$.channel')), '') as channel,
        nullif(trim(json_extract_string(versions.body.metadata, '$.superseded_by')), '')
            as superseded_by,
        list_filter(
            versions.body.custom_fields,
            lambda field: regexp_matches(
                lower(field.name), '(^|[^a-z])(po|p[.]o[.]|purchase order|order)'
            )
        )[1].value as po_number,
        concat_ws(
            ' ', versions.body.description, versions.body.footer,
            json_extract_string(versions.body.metadata, '$.memo')
        ) as memo,
        versions.body.subtotal as subtotal_minor,
        versions.body.total as total_minor,
        versions.body.total_excluding_tax as total_excluding_tax_minor,
        coalesce(
            {{ stripe_list_sum('versions.body.total_taxes', 'amount') }},
            {{ stripe_list_sum('versions.body.total_tax_amounts', 'amount') }},
            versions.body.tax
        ) as tax_minor,
        {{ stripe_list_sum('versions.body.total_discount_amounts', 'amount') }} as discount_minor,
        versions.body.amount_due as amount_due_minor,
        versions.body.amount_paid as amount_paid_minor,
        versions.body.amount_remaining as amount_remaining_minor,
        versions.body.amount_overpaid as amount_overpaid_minor,
        versions.body.amount_shipping as amount_shipping_minor,
        versions.body.starting_balance as starting_balance_minor,
        versions.body.ending_balance as ending_balance_minor,
        coalesce(versions.body.paid_out_of_band, false) as is_paid_out_of_band,
        coalesce(versions.body.lines.has_more, false) as has_more_lines,
        {{ stripe_instant('versions.body.due_date') }} as due_at,
        {{ stripe_instant('coalesce(versions.body.effective_at, '
            ~ 'versions.body.status_transitions.finalized_at)') }} as issued_at,
        {{ stripe_instant('versions.body.status_transitions.voided_at') }} as voided_at,
        {{ stripe_instant('versions.body.status_transitions.marked_uncollectible_at') }}
            as written_off_at,
        {{ stripe_instant('versions.body.status_transitions.paid_at') }} as paid_at,
        {{ stripe_instant('versions.body.created') }} as created_at,
        versions.raw_version_id,
        'stripe' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
    where versions.body.test_clock is null
)

select * from final
