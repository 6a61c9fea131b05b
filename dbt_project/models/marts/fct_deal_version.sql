-- Grain: one row per deal and content version.
--
-- depends_on: {{ ref('int_deal_inputs') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals() }}',
    in_parts_of='int_deal_inputs',
    in_parts_where='is_changed',
    in_parts_rows=2,
) }}

with versions as (
    select * from {{ ref('int_deal_versions') }}
    {{ only_changed_deals() }}
),

landed as (
    select * from {{ ref('int_deals_unioned') }}
    where has_content and {{ is_in_part('deal_key') }}
),

stages as (
    select * from {{ ref('dim_stage') }}
),

users as (
    select * from {{ ref('int_user_map') }}
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

connections as (
    select * from {{ ref('stg_config__connections') }}
),

keyed as (
    select
        versions.*,
        landed.source_system,
        landed.connection,
        landed.name,
        nullif(versions.currency_code, '') as stated_currency_code,
        landed.probability,
        landed.forecast_category,
        landed.loss_reason,
        landed.source_channel,
        concat(landed.connection, ':') || nullif(versions.pipeline, '') as pipeline_key,
        concat(landed.connection, ':', versions.pipeline, ':') || nullif(versions.stage, '')
            as stage_key
    from versions
    inner join landed
        on versions.version = landed.raw_version_id
),

final as (
    select
        concat(keyed.deal_key, ':', {{ microseconds_of('keyed.happened_at') }}) as deal_version_key,
        keyed.deal_key,
        coalesce(survivors.survivor_deal_key, keyed.deal_key) as survivor_deal_key,
        keyed.name,
        coalesce(users.user_key, 'unknown') as owner_user_key,
        keyed.pipeline_key,
        keyed.stage_key,
        coalesce(stages.stage_type, 'unknown') as stage_type,
        case when stages.stage_type in ('won', 'lost') then stages.stage_type else 'open' end
            as status,
        coalesce(keyed.stated_currency_code, connections.home_currency) as currency_code,
        keyed.forecast_category,
        keyed.loss_reason,
        keyed.source_channel,
        case
            when keyed.version_no = 1 then ['created']
            else list_filter([
                case when keyed.has_stage_event then 'stage' end,
                case when keyed.has_pipeline_event then 'pipeline' end,
                case when keyed.has_amount_event then 'amount' end,
                case when keyed.has_expected_close_date_event then 'expected_close_date' end,
                case when keyed.has_owner_event then 'owner' end,
                case when keyed.has_currency_code_event then 'currency_code' end,
                case when keyed.has_version_event then 'attributes' end,
                case when keyed.has_deletion_event then 'is_deleted' end,
                case when keyed.has_merge_event then 'is_merged_away' end
            ], lambda one: one is not null)
        end as changed_fields,
        keyed.change_precision,
        keyed.stage_precision as stage_change_precision,
        cast(nullif(keyed.amount, '') as {{ money_type() }}) as amount_amt,
        keyed.probability,
        cast(keyed.version_no as bigint) as version_no,
        cast(keyed.stage_uncertainty_seconds as bigint) as uncertainty_seconds,
        keyed.stated_currency_code is null as is_currency_assumed,
        coalesce(keyed.is_merged_away = 'true', false) as is_merged_away,
        keyed.valid_to is null as is_current,
        keyed.is_restated as is_known_late,
        cast(nullif(keyed.expected_close_date, '') as date) as expected_close_date,
        keyed.happened_at as valid_from,
        keyed.valid_to,
        keyed.seen_at as seen_from,
        keyed.seen_to,
        coalesce(keyed.is_deleted = 'true', false) as is_deleted,
        keyed.source_system,
        keyed.connection,
        keyed.raw_version_id
    from keyed
    left join survivors
        on keyed.deal_key = survivors.deal_key
    left join users
        on
            keyed.connection = users.connection
            and keyed.owner = users.owner_id
    left join connections
        on keyed.connection = connections.connection
    left join stages
        on
            keyed.stage_key = stages.stage_key
            and (keyed.happened_at >= stages.valid_from or stages.is_first_version)
            and (keyed.happened_at < stages.valid_to or stages.valid_to is null)
)

select * from final
