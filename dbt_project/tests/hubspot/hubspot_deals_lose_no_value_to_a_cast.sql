-- A cast inside the struct turns text into null without a word: every amount and instant
-- that the payload has must have arrived.

{{ config(enabled=has_source('hubspot')) }}

with parsed as (
    select
        raw_version_id,
        deal_amount,
        probability,
        expected_close_at,
        created_at,
        updated_at
    from {{ ref('stg_hubspot__deals') }}
    where
        has_content
        and (
            deal_amount is null or probability is null or expected_close_at is null
            or created_at is null or updated_at is null
        )
),

landed as (
    select
        raw_version_id,
        {{ json_struct('payload', {'properties': {
            'amount': 'VARCHAR', 'hs_deal_stage_probability': 'VARCHAR', 'closedate': 'VARCHAR',
            'createdate': 'VARCHAR', 'hs_lastmodifieddate': 'VARCHAR',
        }}) }}.properties as said
    from {{ source('hubspot', 'deals') }}
    -- Only those are parsed again that could have lost something.
    where payload is not null and raw_version_id in (select raw_version_id from parsed)
)

select landed.*
from landed
inner join parsed
    on landed.raw_version_id = parsed.raw_version_id
where
    (nullif(landed.said.amount, '') is not null and parsed.deal_amount is null)
    or (
        nullif(landed.said.hs_deal_stage_probability, '') is not null
        and parsed.probability is null
    )
    or (nullif(landed.said.closedate, '') is not null and parsed.expected_close_at is null)
    or (nullif(landed.said.createdate, '') is not null and parsed.created_at is null)
    or (nullif(landed.said.hs_lastmodifieddate, '') is not null and parsed.updated_at is null)
