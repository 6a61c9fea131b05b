-- Grain: one row per deal x kind of reference x value that the deal itself carries: kind is
-- po, quote, invoice or subscription; the value is an id or number of the billing side.

with typed as (
    select
        cast(null as varchar) as deal_key,
        cast(null as varchar) as po_number,
        cast(null as varchar) as quote_reference,
        cast(null as varchar) as invoice_reference,
        cast(null as varchar) as subscription_reference
    where false
),

{% if has_source('hubspot') %}
    hubspot as (
        select
            deal_key,
            po_number,
            quote_reference,
            invoice_reference,
            subscription_reference
        from {{ ref('stg_hubspot__deal_references') }}
        -- An archived deal still shows what it says; only a bare tombstone says nothing.
        where
            not is_deleted
            or coalesce(po_number, quote_reference, invoice_reference, subscription_reference)
            is not null
        qualify
            row_number() over (
                partition by deal_key
                order by observed_at desc, sync_id desc, position desc
            ) = 1
    ),
{% endif %}

{% if has_source('files') %}
    files as (
        select
            deal_key,
            po_number,
            quote_id as quote_reference,
            invoice_id as invoice_reference,
            subscription_id as subscription_reference
        from {{ ref('stg_files__deals') }}
        where change = 'upsert'
        qualify
            row_number() over (
                partition by deal_key
                order by observed_at desc, sync_id desc, position desc
            ) = 1
    ),
{% endif %}

deals as (
    select * from typed
    {% if has_source('hubspot') %}
        union all
        select * from hubspot
    {% endif %}
    {% if has_source('files') %}
        union all
        select * from files
    {% endif %}
),

final as (
    select
        deal_key,
        'po' as reference_kind,
        po_number as reference
    from deals
    where po_number is not null
    union all
    select
        deal_key,
        'quote',
        quote_reference
    from deals
    where quote_reference is not null
    union all
    select
        deal_key,
        'invoice',
        invoice_reference
    from deals
    where invoice_reference is not null
    union all
    select
        deal_key,
        'subscription',
        subscription_reference
    from deals
    where subscription_reference is not null
)

select * from final
