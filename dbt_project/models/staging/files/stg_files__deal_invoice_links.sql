-- Grain: one row per version of a person's statement that an invoice belongs to a deal, or
-- (is_accepted false) that it does not.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'deal_key': 'VARCHAR',
            'invoice_key': 'VARCHAR',
            'note': 'VARCHAR',
            'allocated_net_amount': 'DECIMAL(24,4)',
            'is_accepted': 'BOOLEAN',
        }) }} as body
    from {{ raw_source('files__deal_invoice_links') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as deal_invoice_link_key,
        nullif(trim(versions.body.deal_key), '') as deal_key,
        nullif(trim(versions.body.invoice_key), '') as invoice_key,
        nullif(trim(versions.body.note), '') as note,
        cast(versions.body.allocated_net_amount as {{ money_type() }}) as allocated_net_amt,
        coalesce(versions.body.is_accepted, true) as is_accepted,
        versions.raw_version_id,
        'files' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
