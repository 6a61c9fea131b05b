-- Grain: one row per version of a credit note; money in Chargebee's minor units.

{% set structure = {
    'customer_id': 'VARCHAR',
    'reference_invoice_id': 'VARCHAR',
    'type': 'VARCHAR',
    'status': 'VARCHAR',
    'reason_code': 'VARCHAR',
    'create_reason_code': 'VARCHAR',
    'price_type': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'total': 'BIGINT',
    'amount_allocated': 'BIGINT',
    'amount_refunded': 'BIGINT',
    'amount_available': 'BIGINT',
    'resource_version': 'BIGINT',
    'date': 'BIGINT',
    'voided_at': 'BIGINT',
    'taxes': [{'amount': 'BIGINT'}],
    'line_items': [chargebee_line()],
    'linked_refunds': [{
        'txn_id': 'VARCHAR',
        'applied_amount': 'BIGINT',
        'applied_at': 'BIGINT',
        'txn_status': 'VARCHAR',
        'txn_date': 'BIGINT',
    }],
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__credit_notes') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as credit_note_key,
        versions.record_id as credit_note_id,
        versions.connection || ':' || nullif(versions.body.reference_invoice_id, '')
            as invoice_key,
        versions.connection || ':' || versions.body.customer_id as customer_key,
        versions.body.type as note_type,
        versions.body.status as status,
        -- The coded reason is deprecated; the site's own words come with upper case and blanks.
        coalesce(
            nullif(versions.body.reason_code, 'other'),
            nullif(replace(lower(trim(versions.body.create_reason_code)), ' ', '_'), ''),
            versions.body.reason_code
        ) as reason,
        coalesce(versions.body.price_type = 'tax_inclusive', false) as is_tax_inclusive,
        upper(versions.body.currency_code) as currency_code,
        versions.body.total as total_minor,
        coalesce({{ list_total('versions.body.taxes', 'one.amount') }}, 0) as tax_minor,
        coalesce(versions.body.amount_refunded, 0) as amount_refunded_minor,
        coalesce(versions.body.amount_available, 0) as amount_available_minor,
        versions.body.line_items as lines,
        list_filter(
            coalesce(versions.body.linked_refunds, []),
            lambda one: one.txn_status = 'success' and one.applied_amount <> 0
        ) as refunds,
        versions.body.resource_version as resource_version,
        {{ chargebee_instant('versions.body.date') }} as issued_at,
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
