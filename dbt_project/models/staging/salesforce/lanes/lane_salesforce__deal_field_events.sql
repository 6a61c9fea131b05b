-- Grain: one row per opportunity, field and instant at which the field changed, and one for
-- what it held since creation.
--
-- OpportunityHistory has a row with what the opportunity held after each change of stage,
-- amount, probability or close date; its first one is the creation. It goes with its
-- opportunity: what a deleted one took along has been seen before, and stays told.

with snapshots as (
    select
        change_key,
        change_id,
        deal_key,
        arg_min(stage_name, (observed_at, sync_id, position)) as stage_name,
        arg_min(cast(deal_amount as varchar), (observed_at, sync_id, position)) as deal_amount,
        arg_min(currency_code, (observed_at, sync_id, position)) as currency_code,
        arg_min(cast(close_date as varchar), (observed_at, sync_id, position)) as close_date,
        arg_min(changed_by, (observed_at, sync_id, position)) as changed_by,
        min(happened_at) as happened_at,
        min(observed_at) as seen_at,
        arg_min(raw_version_id, (observed_at, sync_id, position)) as raw_version_id
    from {{ ref('stg_salesforce__stage_history') }}
    where has_content and not is_deleted
    group by change_key, change_id, deal_key
),

placed as (
    select
        *,
        row_number() over (partition by deal_key order by happened_at, change_id) as place
    from snapshots
),

-- One save may leave several rows in one second: what held after it is what counts.
settled as (
    select *
    from placed
    qualify row_number() over (partition by deal_key, happened_at order by place desc) = 1
),

told as (
    {% for field, column in [
        ('stage', 'stage_name'),
        ('amount', 'deal_amount'),
        ('currency_code', 'currency_code'),
        ('expected_close_date', 'close_date'),
    ] %}
    {% if not loop.first %}union all{% endif %}
    select
        deal_key,
        '{{ field }}' as field,
        coalesce({{ column }}, '') as value,
        happened_at,
        changed_by,
        place,
        seen_at,
        raw_version_id
    from settled
    {%- if field == 'currency_code' %}
    where currency_code is not null
    {%- endif %}
    {% endfor %}
)

select
    deal_key,
    field,
    value,
    lag(value) over changes_of_field as old_value,
    happened_at,
    changed_by,
    'OpportunityHistory' as change_source,
    'exact' as change_precision,
    place,
    0 as uncertainty_seconds,
    seen_at,
    raw_version_id
from told
window changes_of_field as (partition by deal_key, field order by happened_at, place)
qualify value is distinct from lag(value) over changes_of_field
