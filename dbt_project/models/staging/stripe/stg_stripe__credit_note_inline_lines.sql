-- Grain: one row per version of a credit note x line inside it.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'lines': {'data': [{
                'id': 'VARCHAR',
                'amount': 'BIGINT',
                'amount_excluding_tax': 'BIGINT',
                'description': 'VARCHAR',
                'invoice_line_item': 'VARCHAR',
                'discount_amount': 'BIGINT',
                'discount_amounts': [{'amount': 'BIGINT'}],
                'taxes': [{'amount': 'BIGINT', 'tax_behavior': 'VARCHAR'}],
                'tax_amounts': [{'amount': 'BIGINT', 'inclusive': 'BOOLEAN'}],
            }]},
        }) }} as body
    from {{ raw_source('stripe__credit_notes') }}
),

unfolded as (
    select
        versions.* exclude (body),
        unnest(versions.body.lines.data) as line
    from versions
),

final as (
    select
        unfolded.connection || ':' || unfolded.line.id as credit_note_line_key,
        unfolded.connection || ':' || unfolded.record_id as credit_note_key,
        unfolded.line.id as line_id,
        unfolded.connection || ':' || {{ stripe_id('unfolded.line.invoice_line_item') }}
            as invoice_line_key,
        unfolded.line.description as line_description,
        unfolded.line.amount as amount_minor,
        coalesce(
            unfolded.line.discount_amount,
            {{ stripe_list_sum('unfolded.line.discount_amounts', 'amount') }},
            0
        ) as discount_minor,
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
