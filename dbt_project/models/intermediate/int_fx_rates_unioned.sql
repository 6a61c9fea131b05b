-- Grain: one row per version of a rate that a source states, in one direction:
-- 1 unit of currency_code is rate_to_pivot units of pivot_currency_code.
-- The one place where a rate is inverted. preference: the lower wins.

with typed as (
    select
        cast(null as varchar) as fx_rate_key,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as raw_version_id,
        cast(null as varchar) as rate_type,
        cast(null as varchar) as rate_source,
        cast(null as varchar) as currency_code,
        cast(null as varchar) as pivot_currency_code,
        cast(null as decimal(38, 15)) as rate_to_pivot,
        cast(null as bigint) as preference,
        cast(null as boolean) as is_open_ended,
        cast(null as boolean) as is_deleted,
        cast(null as date) as effective_date,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position
    where false
),

{% if has_source('files') %}
    files_rates as (
        select
            fx_rate_key,
            source_system,
            connection,
            raw_version_id,
            case when rate_type = 'budget' then 'budget' else 'spot' end as rate_type,
            rate_source,
            currency_code,
            case
                when rate_to_rc is not null then '{{ var("reporting_currency") }}'
                else base_currency_code
            end as pivot_currency_code,
            case
                when rate_to_rc is not null then cast(rate_to_rc as decimal(38, 15))
                -- Published as units per 1 base unit: turned round once, here.
                else cast(1.0 / nullif(cast(rate as double), 0) as decimal(38, 15))
            end as rate_to_pivot,
            1 as preference,
            false as is_open_ended,
            is_deleted,
            rate_date as effective_date,
            observed_at,
            sync_id,
            position
        from {{ ref('stg_files__fx_rates') }}
    ),
{% endif %}

{% if has_source('hubspot') %}
    hubspot_rates as (
        select
            exchange_rate_key as fx_rate_key,
            source_system,
            connection,
            raw_version_id,
            'spot' as rate_type,
            'hubspot exchange rates' as rate_source,
            from_currency_code as currency_code,
            to_currency_code as pivot_currency_code,
            cast(rate as decimal(38, 15)) as rate_to_pivot,
            2 as preference,
            -- The account's table: a rate holds until the next one is entered.
            true as is_open_ended,
            is_deleted,
            {{ company_date('effective_at') }} as effective_date,
            observed_at,
            sync_id,
            position
        from {{ ref('stg_hubspot__exchange_rates') }}
    ),
{% endif %}

final as (
    select * from typed
    {% if has_source('files') %}
        union all
        select * from files_rates
    {% endif %}
    {% if has_source('hubspot') %}
        union all
        select * from hubspot_rates
    {% endif %}
)

select * from final
