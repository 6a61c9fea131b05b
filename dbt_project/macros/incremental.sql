{#- What the incremental histories of deals have in common (docs/decisions/0046). -#}

{#- The deals whose history must be computed anew: a subquery with the one column deal_key.
    `inputs` is the model that tells. -#}
{% macro changed_deals(inputs='int_deal_inputs') -%}
    (select inputs.deal_key from {{ ref(inputs) }} as inputs where inputs.is_changed)
{%- endmacro %}

{#- What a history reads of its inputs: the part of the deals that it is at, and of these in an
    incremental run the changed ones. A unit test has no table of its own (`this`) and reads what
    it is given. -#}
{% macro only_changed_deals(inputs='int_deal_inputs') -%}
    {%- if this -%}
        where {{ is_in_part('deal_key') }}
            and {{ is_built_now(changed_deals(inputs)) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether a row is of a deal that the run computes: of one of `deals`, a subquery of deal_key, in
    an incremental run, else of any. -#}
{% macro is_built_now(deals) -%}
    {{ 'deal_key in ' ~ deals if is_incremental() else 'true' }}
{%- endmacro %}

{#- Whether any deal may stand as an earlier build left it. A first build asks no deal whether it
    changed: all have. Views that depend on it are made anew by every build (pipeledger.kept). -#}
{% macro are_deals_kept() -%}
    {%- set built = source('state', 'deals_built') -%}
    {{ return(
        execute and not should_full_refresh()
        and adapter.execute('select count(*) from ' ~ built, fetch=True)[1].rows[0][0] > 0
    ) }}
{%- endmacro %}

{#- Whether what a version of a deal is worth in reporting currency may be another than at the last
    build: it stands in another currency, whose rate may have been corrected, or is dated where the
    rate of the reporting currency itself may begin or end (fct_fx_rate). -#}
{% macro is_revalued() -%}
    (
        currency_code != '{{ var("reporting_currency") }}'
        or valid_from > seen_from
        or valid_from < {{ as_of_at() }} - interval 19 year
    )
{%- endmacro %}

{#- The deals whose amounts in reporting currency must be computed anew: those whose history
    changed, and those with a version that is revalued. -#}
{% macro revalued_deals() -%}
    (
        select inputs.deal_key from {{ ref('int_deal_inputs') }} as inputs where inputs.is_changed
        union all
        select versions.deal_key
        from (select * from {{ ref('fct_deal_version') }} where {{ is_revalued() }}) as versions
    )
{%- endmacro %}

{#- Before a build adds the rows of the changed deals, all that they had goes: a deal may have
    fewer rows than before, or none. -#}
{% macro forget_changed_deals(inputs='int_deal_inputs') -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where deal_key in {{ changed_deals(inputs) }}
    {%- endif -%}
{%- endmacro %}

{#- The same for the deals of `revalued_deals`; the stays of all others that go on become older. -#}
{% macro forget_revalued_deals() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where deal_key in {{ revalued_deals() }}
    {%- endif -%}
{%- endmacro %}
{% macro age_going_stays() -%}
    {%- if is_incremental() -%}
        update {{ this }} set days_in_stay = {{ days_in_stay() }} where is_current
    {%- endif -%}
{%- endmacro %}

{#- Sums up to a number that is the same for the same rows in any order; `row` is the alias of
    the rows, or a list of columns. -#}
{% macro fingerprint(row) -%}
    {{ return(adapter.dispatch('fingerprint', 'pipeledger')(row)) }}
{%- endmacro %}
{% macro duckdb__fingerprint(row) -%}
    sum(cast(hash({{ row }}) as hugeint))
{%- endmacro %}
{% macro spark__fingerprint(row) -%}
    sum(cast(xxhash64({{ row ~ '.*' if ',' not in row else row }}) as decimal(38, 0)))
{%- endmacro %}

{#- Per connection and sync: when the look before it was (null for the first). A look is the
    first answer of a sync that landed a deal. `versions` are all landed versions. -#}
{% macro looks_before(versions) -%}
    select
        connection,
        sync_id,
        max(looked_at) over (
            partition by connection order by looked_at
            range between unbounded preceding and interval 1 microsecond preceding
        ) as previous_looked_at
    from (
        select
            connection,
            sync_id,
            min(observed_at) as looked_at
        from {{ versions }}
        group by connection, sync_id
    ) as looks
{%- endmacro %}

{#- One number per row that differs where any of the columns does. -#}
{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash', 'pipeledger')(columns)) }}
{%- endmacro %}
{% macro duckdb__row_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}
{% macro spark__row_hash(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}
