{#- The clock of the build. Models ask these and never now() or current_date. -#}

{#- The as-of instant: TIMESTAMPTZ. A build gives it in the environment, which is read when a
    model runs and not when it is parsed: as a variable it would have dbt parse every model anew
    for every build. -#}
{% macro as_of_at() -%}
    {%- set instant = env_var('PIPELEDGER_AS_OF', var('as_of')) if execute else var('as_of') -%}
    cast('{{ instant }}' as {{ instant_type() }})
{%- endmacro %}

{#- The company's business date that contains the as-of instant: DATE. -#}
{% macro as_of_date() -%}
    {{ company_date(as_of_at()) }}
{%- endmacro %}

{#- The business date of an instant in the company's zone: DATE.
    Only for instants; a field that is a pure date is never passed through here. -#}
{% macro company_date(instant) -%}
    {{ return(adapter.dispatch('company_date', 'pipeledger')(instant)) }}
{%- endmacro %}
{% macro duckdb__company_date(instant) -%}
    cast(timezone('{{ var("company_time_zone") }}', {{ instant }}) as date)
{%- endmacro %}
{% macro spark__company_date(instant) -%}
    to_date(from_utc_timestamp({{ instant }}, '{{ var("company_time_zone") }}'))
{%- endmacro %}
{% macro default__company_date(instant) -%}
    cast(({{ instant }}) at time zone '{{ var("company_time_zone") }}' as date)
{%- endmacro %}

{#- The instant at which a business date begins in the company's zone: TIMESTAMPTZ.
    The end of day D is start_of_day(D + 1), exclusive. -#}
{% macro start_of_day(day) -%}
    {{ return(adapter.dispatch('start_of_day', 'pipeledger')(day)) }}
{%- endmacro %}
{% macro duckdb__start_of_day(day) -%}
    timezone('{{ var("company_time_zone") }}', cast({{ day }} as timestamp))
{%- endmacro %}
{% macro spark__start_of_day(day) -%}
    to_utc_timestamp(cast({{ day }} as timestamp), '{{ var("company_time_zone") }}')
{%- endmacro %}
{% macro default__start_of_day(day) -%}
    cast({{ day }} as timestamp) at time zone '{{ var("company_time_zone") }}'
{%- endmacro %}

{#- Seconds from one instant to another, counting whole seconds passed: BIGINT. -#}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between', 'pipeledger')(earlier, later)) }}
{%- endmacro %}
{% macro duckdb__seconds_between(earlier, later) -%}
    date_sub('second', {{ earlier }}, {{ later }})
{%- endmacro %}
{% macro spark__seconds_between(earlier, later) -%}
    (unix_timestamp({{ later }}) - unix_timestamp({{ earlier }}))
{%- endmacro %}
{% macro default__seconds_between(earlier, later) -%}
    cast(floor(extract(epoch from ({{ later }} - {{ earlier }}))) as bigint)
{%- endmacro %}

{#- The whole minutes from 1970 to an instant: BIGINT. -#}
{% macro minute_no(instant) -%}
    cast(floor({{ seconds_between("cast('1970-01-01 00:00:00+00' as timestamptz)", instant) }} / 60) as bigint)
{%- endmacro %}

{#- Calendar days from one date to another: BIGINT. -#}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch('days_between', 'pipeledger')(earlier, later)) }}
{%- endmacro %}
{% macro duckdb__days_between(earlier, later) -%}
    date_diff('day', {{ earlier }}, {{ later }})
{%- endmacro %}
{% macro spark__days_between(earlier, later) -%}
    cast(datediff({{ later }}, {{ earlier }}) as bigint)
{%- endmacro %}
{% macro default__days_between(earlier, later) -%}
    cast({{ later }} - {{ earlier }} as bigint)
{%- endmacro %}

{#- Whole months from one date to another: BIGINT. -#}
{% macro whole_months_between(earlier, later) -%}
    {{ return(adapter.dispatch('whole_months_between', 'pipeledger')(earlier, later)) }}
{%- endmacro %}
{% macro duckdb__whole_months_between(earlier, later) -%}
    date_sub('month', {{ earlier }}, {{ later }})
{%- endmacro %}
{% macro spark__whole_months_between(earlier, later) -%}
    cast(floor(months_between({{ later }}, {{ earlier }})) as bigint)
{%- endmacro %}

{#- So many months, to be added to a date. -#}
{% macro months(count) -%}
    {{ return(adapter.dispatch('months', 'pipeledger')(count)) }}
{%- endmacro %}
{% macro duckdb__months(count) -%}
    to_months(cast({{ count }} as integer))
{%- endmacro %}
{% macro spark__months(count) -%}
    make_ym_interval(0, cast({{ count }} as integer))
{%- endmacro %}

{#- Microseconds since 1970: BIGINT, for keys. -#}
{% macro microseconds_of(instant) -%}
    {{ return(adapter.dispatch('microseconds_of', 'pipeledger')(instant)) }}
{%- endmacro %}
{% macro duckdb__microseconds_of(instant) -%}
    epoch_us({{ instant }})
{%- endmacro %}
{% macro spark__microseconds_of(instant) -%}
    unix_micros({{ instant }})
{%- endmacro %}

{#- A timestamp of UTC's clock as the instant, and an instant as the timestamp of UTC's clock. -#}
{% macro in_utc(moment) -%}
    {{ return(adapter.dispatch('in_utc', 'pipeledger')(moment)) }}
{%- endmacro %}
{% macro duckdb__in_utc(moment) -%}
    timezone('UTC', {{ moment }})
{%- endmacro %}
{% macro spark__in_utc(moment) -%}
    cast({{ moment }} as timestamp)
{%- endmacro %}

{#- Seconds since midnight on the company's clock: INTEGER. -#}
{% macro company_second_of_day(instant) -%}
    {{ return(adapter.dispatch('company_second_of_day', 'pipeledger')(instant)) }}
{%- endmacro %}
{% macro duckdb__company_second_of_day(instant) -%}
    {%- set local = 'timezone(\'' ~ var('company_time_zone') ~ '\', ' ~ instant ~ ')' -%}
    cast(
        date_part('hour', {{ local }}) * 3600
        + date_part('minute', {{ local }}) * 60
        + date_part('second', {{ local }}) as integer
    )
{%- endmacro %}
{% macro spark__company_second_of_day(instant) -%}
    {%- set local = 'from_utc_timestamp(' ~ instant ~ ', \'' ~ var('company_time_zone') ~ '\')' -%}
    (hour({{ local }}) * 3600 + minute({{ local }}) * 60 + second({{ local }}))
{%- endmacro %}
{% macro default__company_second_of_day(instant) -%}
    {%- set local = '(' ~ instant ~ ') at time zone \'' ~ var('company_time_zone') ~ '\'' -%}
    cast(
        extract(hour from {{ local }}) * 3600
        + extract(minute from {{ local }}) * 60
        + floor(extract(second from {{ local }})) as integer
    )
{%- endmacro %}

{#- Business seconds that have passed until an instant since the calendar began: BIGINT. The
    difference of two is the business time between them, over nights, weekends and holidays.
    day: a row of its date with is_business_day and business_days_before, the count of earlier
    business days. -#}
{% macro business_second_no(day, instant) -%}
    {%- set opens = var('business_opens_second') -%}
    {%- set length = '(' ~ var('business_closes_second') ~ ' - ' ~ opens ~ ')' -%}
    {{ day }}.business_days_before * {{ length }}
    + case
        when {{ day }}.is_business_day
            then least(
                greatest({{ company_second_of_day(instant) }} - {{ opens }}, 0), {{ length }}
            )
        else 0
    end
{%- endmacro %}

{#- Whole or half seconds as minutes: DECIMAL(12,2), half up. Counted in whole hundredths, since
    a division would leave the last digit to a double. -#}
{% macro minutes_of(seconds) -%}
    cast(cast(floor(({{ seconds }} * 10 + 3) / 6) as decimal(12, 0)) * 0.01 as decimal(12, 2))
{%- endmacro %}

{#- The open end of an interval, where a comparison needs an instant: TIMESTAMPTZ. -#}
{% macro far_future() -%}
    cast('9999-12-31 00:00:00+00' as {{ instant_type() }})
{%- endmacro %}
