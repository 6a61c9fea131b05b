-- Grain: one row per version of an invoice; money in Chargebee's minor units, and what was
-- applied to it as lists.

{% set structure = {
    'customer_id': 'VARCHAR',
    'subscription_id': 'VARCHAR',
    'status': 'VARCHAR',
    'dunning_status': 'VARCHAR',
    'recurring': 'BOOLEAN',
    'first_invoice': 'BOOLEAN',
    'price_type': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'base_currency_code': 'VARCHAR',
    'exchange_rate': 'DECIMAL(18,9)',
    'po_number': 'VARCHAR',
    'total': 'BIGINT',
    'tax': 'BIGINT',
    'round_off_amount': 'BIGINT',
    'amount_paid': 'BIGINT',
    'amount_due': 'BIGINT',
    'amount_adjusted': 'BIGINT',
    'credits_applied': 'BIGINT',
    'write_off_amount': 'BIGINT',
    'resource_version': 'BIGINT',
    'line_items_next_offset': 'VARCHAR',
    'date': 'BIGINT',
    'due_date': 'BIGINT',
    'paid_at': 'BIGINT',
    'voided_at': 'BIGINT',
    'line_items': [chargebee_line()],
    'discounts': [{'amount': 'BIGINT'}],
    'notes': [{'note': 'VARCHAR'}],
    'billing_address': {
        'first_name': 'VARCHAR',
        'last_name': 'VARCHAR',
        'email': 'VARCHAR',
        'company': 'VARCHAR',
    },
    'linked_payments': [{
        'txn_id': 'VARCHAR',
        'applied_amount': 'BIGINT',
        'applied_at': 'BIGINT',
        'txn_status': 'VARCHAR',
        'txn_date': 'BIGINT',
    }],
    'applied_credits': [{
        'cn_id': 'VARCHAR',
        'applied_amount': 'BIGINT',
        'applied_at': 'BIGINT',
        'cn_date': 'BIGINT',
        'cn_status': 'VARCHAR',
    }],
    'adjustment_credit_notes': [{
        'cn_id': 'VARCHAR',
        'cn_reason_code': 'VARCHAR',
        'cn_create_reason_code': 'VARCHAR',
        'cn_date': 'BIGINT',
        'cn_total': 'BIGINT',
        'cn_status': 'VARCHAR',
    }],
    'linked_taxes_withheld': [{'id': 'VARCHAR', 'amount': 'BIGINT', 'date': 'BIGINT'}],
} %}
{% do structure.update(chargebee_deal_fields()) %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__invoices') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as invoice_key,
        versions.record_id as invoice_id,
        versions.body.status as status,
        versions.body.dunning_status as dunning_status,
        coalesce(versions.body.recurring, false) as is_recurring,
        coalesce(versions.body.first_invoice, false) as is_first,
        versions.body.price_type = 'tax_inclusive' as is_tax_inclusive,
        upper(versions.body.currency_code) as currency_code,
        upper(nullif(versions.body.base_currency_code, '')) as base_currency_code,
        versions.body.exchange_rate as exchange_rate,
        versions.connection || ':' || versions.body.customer_id as customer_key,
        versions.connection || ':' || nullif(versions.body.subscription_id, '')
            as subscription_key,
        coalesce(
            nullif(trim(versions.body.billing_address.company), ''),
            {{ chargebee_person(
                'versions.body.billing_address.first_name',
                'versions.body.billing_address.last_name') }}
        ) as customer_name,
        lower(nullif(trim(versions.body.billing_address.email), '')) as customer_email,
        {{ chargebee_deal_reference('versions.body') }} as deal_reference,
        nullif(trim(versions.body.po_number), '') as po_number,
        nullif(array_to_string(list_transform(
            versions.body.notes, lambda one: one.note
        ), ' '), '') as memo,
        versions.body.total as total_minor,
        coalesce(versions.body.tax, 0) as tax_minor,
        coalesce(versions.body.round_off_amount, 0) as round_off_minor,
        versions.body.amount_paid as amount_paid_minor,
        versions.body.amount_due as amount_due_minor,
        coalesce(versions.body.write_off_amount, 0) as write_off_minor,
        coalesce({{ list_total('versions.body.discounts', 'one.amount') }}, 0) as discount_minor,
        versions.body.line_items as lines,
        versions.body.line_items_next_offset is not null as has_more_lines,
        versions.body.linked_payments as payments,
        versions.body.applied_credits as applied_credits,
        versions.body.adjustment_credit_notes as adjustments,
        versions.body.linked_taxes_withheld as taxes_withheld,
        versions.body.resource_version as resource_version,
        {{ chargebee_instant('versions.body.date') }} as issued_at,
        {{ chargebee_instant('versions.body.due_date') }} as due_at,
        {{ chargebee_instant('versions.body.paid_at') }} as paid_at,
        {{ chargebee_instant('versions.body.voided_at') }} as voided_at,
        versions.raw_version_id,
        'chargebee' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
