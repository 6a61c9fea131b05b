{#- Zoho shows a stage by the words that people see; they can be renamed, its actual value
    cannot. One row per connection and word: the actual value, what it means for a deal. -#}
{% macro zoho_stage_words() -%}
    select
        connection,
        word,
        arg_max(stage_id, (is_shown, observed_at, sync_id, position)) as stage_id,
        arg_max(forecast_type, (is_shown, observed_at, sync_id, position)) as forecast_type
    from (
        select
            connection,
            observed_at,
            sync_id,
            position,
            stage.actual_value as stage_id,
            stage.forecast_type as forecast_type,
            unnest([
                {'word': stage.display_value, 'is_shown': true},
                {'word': stage.actual_value, 'is_shown': false}
            ], recursive := true)
        from (
            select
                connection,
                observed_at,
                sync_id,
                position,
                unnest(stages) as stage
            from {{ ref('stg_zoho__pipelines') }}
            where change = 'upsert'
        ) as pipelines
    ) as words
    where word is not null
    group by connection, word
{%- endmacro %}

{#- One row per connection and word by which a pipeline is called. -#}
{% macro zoho_pipeline_words() -%}
    select
        connection,
        word,
        arg_max(pipeline_id, (is_shown, observed_at, sync_id, position)) as pipeline_id
    from (
        select
            connection,
            observed_at,
            sync_id,
            position,
            pipeline_id,
            unnest([
                {'word': display_value, 'is_shown': true},
                {'word': actual_value, 'is_shown': false}
            ], recursive := true)
        from {{ ref('stg_zoho__pipelines') }}
        where change = 'upsert'
    ) as words
    where word is not null
    group by connection, word
{%- endmacro %}

{#- One row per connection: the currency of amounts that name none. -#}
{% macro zoho_home_currencies() -%}
    select
        connection,
        arg_max(currency_code, (is_base, observed_at, sync_id, position)) as currency_code
    from (
        select connection, currency_code, false as is_base, observed_at, sync_id, position
        from {{ ref('stg_zoho__organization') }}
        where has_content
        union all
        select connection, currency_code, true, observed_at, sync_id, position
        from {{ ref('stg_zoho__currencies') }}
        where has_content and is_base
    ) as stated
    where currency_code is not null
    group by connection
{%- endmacro %}
