-- Grain: one row per landed version of a forecast that somebody handed in.

{% set structure = {
    'submitter': 'VARCHAR',
    'scope_type': 'VARCHAR',
    'scope_id': 'VARCHAR',
    'period': 'VARCHAR',
    'category': 'VARCHAR',
    'level': 'VARCHAR',
    'note': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'amount': 'DECIMAL(24,4)',
    'system_amount': 'DECIMAL(24,4)',
    'submitted_at': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'forecast_submissions') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as forecast_submission_key,
        landed.connection,
        lower(nullif(trim(landed.record.submitter), '')) as submitter_email,
        lower(trim(landed.record.scope_type)) as scope_type,
        nullif(trim(landed.record.scope_id), '') as scope_id,
        upper(nullif(trim(landed.record.period), '')) as period,
        lower(nullif(trim(landed.record.category), '')) as category,
        nullif(trim(landed.record.level), '') as level,
        -- What the note says is the submitter's own; that there is one is enough.
        nullif(trim(landed.record.note), '') is not null as has_note,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        cast(landed.record.amount as {{ money_type() }}) as forecast_amt,
        cast(landed.record.system_amount as {{ money_type() }}) as system_amt,
        landed.record.submitted_at as submitted_at,
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
