-- A cast inside the struct turns text into null without a word: every amount and instant
-- that the payload has must have arrived.

{{ config(enabled=has_source('pipedrive')) }}

with parsed as (
    select
        raw_version_id,
        deal_amount,
        expected_close_date,
        created_at,
        updated_at
    from {{ ref('stg_pipedrive__deals') }}
    where has_content
),

landed as (
    select
        raw_version_id,
        {{ json_struct('payload', {
            'value': 'VARCHAR', 'expected_close_date': 'VARCHAR', 'add_time': 'VARCHAR',
            'update_time': 'VARCHAR',
        }) }} as said
    from {{ source('pipedrive', 'deals') }}
)

select
    parsed.raw_version_id,
    landed.said
from parsed
inner join landed on parsed.raw_version_id = landed.raw_version_id
where
    (parsed.deal_amount is null and landed.said.value is not null)
    or (parsed.expected_close_date is null and landed.said.expected_close_date is not null)
    or (parsed.created_at is null and landed.said.add_time is not null)
    or (parsed.updated_at is null and landed.said.update_time is not null)
