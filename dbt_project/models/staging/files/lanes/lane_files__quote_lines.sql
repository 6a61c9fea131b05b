-- Grain: one row per landed version of a quote line of a file.

select
    quote_line_key,
    coalesce(line_id, split_part(raw_version_id, ':', 4)) as line_id,
    'files' as source_system,
    connection,
    concat(connection, ':') || quote_id as stated_quote_key,
    concat(connection, ':') || product_id as product_key,
    description as product_name,
    'one_time' as billing_interval,
    currency_code,
    quantity,
    unit_price_amount as unit_price_amt,
    net_amount as net_amt,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__quote_lines') }}
