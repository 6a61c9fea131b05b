-- Grain: one row per version of a credit note; money in minor units. Before 2025-03-31 the
-- refund stood in `refund`, taxes in tax_amounts and there was no pre/post payment split.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'number': 'VARCHAR',
            'invoice': 'VARCHAR',
            'customer': 'VARCHAR',
            'status': 'VARCHAR',
            'reason': 'VARCHAR',
            'memo': 'VARCHAR',
            'currency': 'VARCHAR',
            'total': 'BIGINT',
            'total_excluding_tax': 'BIGINT',
            'total_taxes': [{'amount': 'BIGINT'}],
            'tax_amounts': [{'amount': 'BIGINT'}],
            'pre_payment_amount': 'BIGINT',
            'post_payment_amount': 'BIGINT',
            'out_of_band_amount': 'BIGINT',
            'customer_balance_transaction': 'VARCHAR',
            'refunds': [{'amount_refunded': 'BIGINT', 'refund': 'VARCHAR'}],
            'refund': 'VARCHAR',
            'lines': {'has_more': 'BOOLEAN'},
            'created': 'BIGINT',
            'effective_at': 'BIGINT',
            'voided_at': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__credit_notes') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as credit_note_key,
        versions.record_id as credit_note_id,
        versions.body.number as credit_note_number,
        versions.connection || ':' || {{ stripe_id('versions.body.invoice') }} as invoice_key,
        versions.connection || ':' || {{ stripe_id('versions.body.customer') }} as customer_key,
        versions.body.status as status,
        versions.body.reason as reason,
        upper(versions.body.currency) as currency_code,
        {{ stripe_id('versions.body.customer_balance_transaction') }}
            as customer_balance_transaction_id,
        case
            when versions.body.refunds is not null
                then list_transform(
                    versions.body.refunds,
                    lambda x: versions.connection || ':' || {{ stripe_id('x.refund') }}
                )
            when versions.body.refund is not null
                then [versions.connection || ':' || {{ stripe_id('versions.body.refund') }}]
            else cast([] as varchar[])
        end as refund_keys,
        -- Beside refund_keys; the older shape names the refund without its amount.
        case
            when versions.body.refunds is not null
                then list_transform(versions.body.refunds, lambda x: x.amount_refunded)
            when versions.body.refund is not null then [cast(null as bigint)]
            else cast([] as bigint[])
        end as refund_minors,
        versions.body.total as total_minor,
        versions.body.total_excluding_tax as total_excluding_tax_minor,
        coalesce(
            {{ stripe_list_sum('versions.body.total_taxes', 'amount') }},
            {{ stripe_list_sum('versions.body.tax_amounts', 'amount') }}
        ) as tax_minor,
        versions.body.pre_payment_amount as pre_payment_minor,
        versions.body.post_payment_amount as post_payment_minor,
        versions.body.out_of_band_amount as out_of_band_minor,
        {{ stripe_list_sum('versions.body.refunds', 'amount_refunded') }} as refunded_minor,
        coalesce(versions.body.lines.has_more, false) as has_more_lines,
        {{ stripe_instant('coalesce(versions.body.effective_at, versions.body.created)') }}
            as issued_at,
        {{ stripe_instant('versions.body.voided_at') }} as voided_at,
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
)

select * from final
