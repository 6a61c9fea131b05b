-- Grain: one row per landed version of a dated rate.

{% set structure = {
    'name': 'DATE',
    'rate': 'DECIMAL(38,15)',
    'currency_id': 'VARCHAR',
    'company_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'currency_rates') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as rate_key,
        landed.record_id as rate_id,
        landed.connection,
        landed.record.name as effective_date,
        landed.record.rate as rate,
        {{ odoo_id('landed.record.currency_id') }} as currency_id,
        {{ odoo_id('landed.record.company_id') }} as own_company_id,
        landed.payload is not null as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
