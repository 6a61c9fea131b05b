-- Grain: one row per version of a credit note line read from the note's own list of lines,
-- which is asked when a note has more than its inline ten. The reader writes the note's id into
-- each line; Stripe leaves it out.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'id': 'VARCHAR',
            'credit_note': 'VARCHAR',
            'amount': 'BIGINT',
            'description': 'VARCHAR',
            'invoice_line_item': 'VARCHAR',
            'discount_amount': 'BIGINT',
            'discount_amounts': [{'amount': 'BIGINT'}],
            'taxes': [{'amount': 'BIGINT', 'tax_behavior': 'VARCHAR'}],
            'tax_amounts': [{'amount': 'BIGINT', 'inclusive': 'BOOLEAN'}],
        }) }} as body
    from {{ raw_source('stripe__credit_note_line_items') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as credit_note_line_key,
        versions.connection || ':' || versions.body.credit_note as credit_note_key,
        versions.body.id as line_id,
        versions.connection || ':' || {{ stripe_id('versions.body.invoice_line_item') }}
            as invoice_line_key,
        versions.body.description as line_description,
        versions.body.amount as amount_minor,
        coalesce(
            versions.body.discount_amount,
            {{ stripe_list_sum('versions.body.discount_amounts', 'amount') }},
            0
        ) as discount_minor,
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
