-- Grain: one row per landed version of a deal, all sources.
--
-- A version without content (deleted by a sweep, merged away, access lost) carries nulls and
-- has_content false: it says what happened to the deal, not what the deal holds.

{{ config(materialized='view') }}

{% set columns = [
    ('deal_key', 'varchar'),
    ('deal_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('name', 'varchar'),
    ('deal_type', 'varchar'),
    ('pipeline_id', 'varchar'),
    ('stage_id', 'varchar'),
    ('owner_id', 'varchar'),
    ('currency_code', 'varchar'),
    ('forecast_category', 'varchar'),
    ('loss_reason', 'varchar'),
    ('source_channel', 'varchar'),
    ('measure', 'varchar'),
    ('amount_basis', 'varchar'),
    ('source_lead_key', 'varchar'),
    ('source_company_key', 'varchar'),
    ('source_contact_key', 'varchar'),
    ('merged_into_key', 'varchar'),
    ('merged_ids', 'varchar'),
    ('amount_amt', 'decimal(18, 4)'),
    ('probability', 'decimal(9, 6)'),
    ('term_months', 'bigint'),
    ('has_content', 'boolean'),
    ('has_stage_history', 'boolean'),
    ('has_pipeline_history', 'boolean'),
    ('has_amount_history', 'boolean'),
    ('has_close_date_history', 'boolean'),
    ('has_owner_history', 'boolean'),
    ('has_currency_history', 'boolean'),
    ('is_closed', 'boolean'),
    ('is_archived', 'boolean'),
    ('is_deleted', 'boolean'),
    ('expected_close_date', 'date'),
    ('next_activity_date', 'date'),
    ('service_start', 'date'),
    ('service_end', 'date'),
    ('created_at', 'timestamptz'),
    ('updated_at', 'timestamptz'),
    ('closed_at', 'timestamptz'),
    ('deleted_at', 'timestamptz'),
    ('source_updated_at', 'timestamptz'),
    ('observed_at', 'timestamptz'),
    ('change', 'varchar'),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

with typed_nothing as (
    select
        {% for name, type in columns %}
        cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    where false
)

{% if has_source('hubspot') %},
hubspot as (
    select
        deal_key,
        deal_id,
        'hubspot' as source_system,
        connection,
        deal_name as name,
        deal_type,
        pipeline_id,
        stage_id,
        owner_id,
        currency_code,
        forecast_category,
        loss_reason,
        source_channel,
        null as measure,
        -- HubSpot does not say whether the amount includes tax.
        'unknown' as amount_basis,
        null as source_lead_key,
        null as source_company_key,
        null as source_contact_key,
        case when change = 'merged' then concat(connection, ':', survivor_id) end
            as merged_into_key,
        merged_ids,
        deal_amount as amount_amt,
        probability,
        null as term_months,
        has_content,
        coalesce(len(stage_history), 0) > 0 as has_stage_history,
        coalesce(len(pipeline_history), 0) > 0 as has_pipeline_history,
        coalesce(len(amount_history), 0) > 0 as has_amount_history,
        coalesce(len(close_date_history), 0) > 0 as has_close_date_history,
        coalesce(len(owner_history), 0) > 0 as has_owner_history,
        coalesce(len(currency_history), 0) > 0 as has_currency_history,
        is_closed,
        is_deleted as is_archived,
        is_deleted,
        -- Stored as an instant: 31 March 23:30 in Berlin is 31 March.
        {{ company_date('expected_close_at') }} as expected_close_date,
        null as next_activity_date,
        null as service_start,
        null as service_end,
        created_at,
        updated_at,
        null as closed_at,
        archived_at as deleted_at,
        source_updated_at,
        observed_at,
        change,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_hubspot__deals') }}
)
{% endif %}

{% if has_source('files') %},
files as (
    select
        deal_key,
        deal_id,
        'files' as source_system,
        connection,
        deal_name as name,
        null as deal_type,
        pipeline_id,
        stage_id,
        coalesce(owner_id, owner_email) as owner_id,
        currency_code,
        forecast_category,
        loss_reason,
        source_channel,
        measure,
        case when amount_basis in ('net', 'gross') then amount_basis else 'unknown' end
            as amount_basis,
        connection || ':' || lead_id as source_lead_key,
        connection || ':' || company_id as source_company_key,
        connection || ':' || contact_id as source_contact_key,
        case
            when merged_into_id is not null then concat(connection, ':', merged_into_id)
        end as merged_into_key,
        null as merged_ids,
        deal_amount as amount_amt,
        probability,
        term_months,
        change not in ('deleted', 'archived', 'access_lost') as has_content,
        false as has_stage_history,
        false as has_pipeline_history,
        false as has_amount_history,
        false as has_close_date_history,
        false as has_owner_history,
        false as has_currency_history,
        coalesce(won_at, lost_at) is not null
        or closed_date is not null
        or coalesce(vendor_status in ('won', 'lost'), false) as is_closed,
        coalesce(is_archived, false) as is_archived,
        is_deleted,
        expected_close_date,
        next_activity_date,
        service_start_date as service_start,
        service_end_date as service_end,
        created_at,
        updated_at,
        coalesce(won_at, lost_at, {{ start_of_day('closed_date') }}) as closed_at,
        null as deleted_at,
        source_updated_at,
        observed_at,
        change,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_files__deals') }}
)
{% endif %}

{% for source in ['typed_nothing', 'hubspot', 'files'] if source == 'typed_nothing' or has_source(source) %}
{% if not loop.first %}union all{% endif %}

select
    {% for name, type in columns %}
    {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
from {{ source }}
{% endfor %}
