-- Grain: one row per landed version of a deal: what the deal says about its billing, in
-- custom properties of the usual names. All text, null where the property does not exist.

with landed as (
    select
        *,
        {{ json_struct('payload', {'properties': {
            'po_number': 'VARCHAR',
            'purchase_order_number': 'VARCHAR',
            'stripe_quote_id': 'VARCHAR',
            'quote_number': 'VARCHAR',
            'stripe_invoice_id': 'VARCHAR',
            'invoice_number': 'VARCHAR',
            'stripe_subscription_id': 'VARCHAR',
        }}) }} as record
    from {{ raw_source('hubspot__deals') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        coalesce(
            nullif(trim(landed.record.properties.po_number), ''),
            nullif(trim(landed.record.properties.purchase_order_number), '')
        ) as po_number,
        coalesce(
            nullif(trim(landed.record.properties.stripe_quote_id), ''),
            nullif(trim(landed.record.properties.quote_number), '')
        ) as quote_reference,
        coalesce(
            nullif(trim(landed.record.properties.stripe_invoice_id), ''),
            nullif(trim(landed.record.properties.invoice_number), '')
        ) as invoice_reference,
        nullif(trim(landed.record.properties.stripe_subscription_id), '')
            as subscription_reference,
        landed.change <> 'upsert' as is_deleted,
        landed.connection,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
