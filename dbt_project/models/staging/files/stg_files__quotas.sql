-- Grain: one row per landed version of a quota.

{% set structure = {
    'scope_type': 'VARCHAR',
    'scope_id': 'VARCHAR',
    'period_type': 'VARCHAR',
    'period': 'VARCHAR',
    'measure': 'VARCHAR',
    'credit_type': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'amount': 'DECIMAL(24,4)',
    'proration': 'DECIMAL(18,6)',
    'valid_from': 'DATE',
    'valid_to': 'DATE',
    'period_start': 'DATE',
    'period_end': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'quotas') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as quota_record_key,
        landed.connection,
        lower(trim(landed.record.scope_type)) as scope_type,
        nullif(trim(landed.record.scope_id), '') as scope_id,
        lower(nullif(trim(landed.record.period_type), '')) as period_type,
        upper(nullif(trim(landed.record.period), '')) as period,
        lower(nullif(trim(landed.record.measure), '')) as measure,
        lower(nullif(trim(landed.record.credit_type), '')) as credit_type,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        cast(landed.record.amount as {{ money_type() }}) as quota_amt,
        cast(landed.record.proration as decimal(9, 6)) as proration,
        landed.record.valid_from as valid_from_date,
        landed.record.valid_to as valid_to_date,
        landed.record.period_start as own_start_date,
        landed.record.period_end as own_end_date,
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
