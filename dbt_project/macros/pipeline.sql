{#- Why a deal enters or leaves a pipeline that is due in a window: the two lists of reasons of
    docs/marts/pipeline_movement.md, in their order of precedence. `before` and `after` are
    prefixes of the columns that say how the deal stood on either side. -#}

{#- `moved`: a condition under which the deal came from another scope, and what that is called. -#}
{% macro entry_reason(before, after, moved='false', moved_reason='none') -%}
    case
        when {{ before }}status is null then 'created'
        when {{ before }}status <> 'open' then 'reopened'
        when {{ before }}is_deleted then 'restored'
        when {{ before }}is_merged_away then 'unmerged'
        when {{ moved }} then '{{ moved_reason }}'
        when coalesce({{ before }}expected_close_date > close_to, true) then 'pulled_in'
        when {{ before }}expected_close_date < close_from then 'pushed_in'
        else 'category_in'
    end
{%- endmacro %}

{#- A deal that was won for another window than this one left it for the date of its close. -#}
{% macro exit_reason(before, after, moved='false', moved_reason='none') -%}
    case
        when {{ after }}is_merged_away then 'merged'
        when {{ after }}is_deleted then 'deleted'
        when {{ after }}status = 'lost' then 'lost'
        when {{ moved }} then '{{ moved_reason }}'
        when {{ after }}status = 'won' and {{ after }}closed_date between close_from and close_to
            then 'won'
        when coalesce(
            case {{ after }}status
                when 'won' then {{ after }}closed_date
                else {{ after }}expected_close_date
            end > close_to,
            true
        ) then 'pushed_out'
        when case {{ after }}status
            when 'won' then {{ after }}closed_date
            else {{ after }}expected_close_date
        end < close_from then 'pulled_out'
        else 'category_out'
    end
{%- endmacro %}

{#- Why a deal counts as booked: a win that a deletion or a merge only interrupted is no new one. -#}
{% macro booking_reason(before, after, moved='false', moved_reason='none') -%}
    case
        when {{ moved }} then '{{ moved_reason }}'
        when
            {{ before }}status = 'won' and {{ before }}is_merged_away
            and {{ after }}won_at <= {{ before }}from_at then 'unmerged'
        when
            {{ before }}status = 'won' and {{ before }}is_deleted
            and {{ after }}won_at <= {{ before }}from_at then 'restored'
        else 'won'
    end
{%- endmacro %}

{#- An amount in reporting currency; nothing where there is no amount or no rate. -#}
{% macro pipeline_value(amount, rate) -%}
    coalesce({{ convert_money(amount, rate, "'" ~ var('reporting_currency') ~ "'") }}, 0)
{%- endmacro %}

{#- How long a stay lasted, or has lasted by the as-of. -#}
{% macro days_in_stay() -%}
    cast({{ seconds_between(
        'entered_at', 'coalesce(exited_at, greatest(' ~ as_of_at() ~ ', entered_at))'
    ) }} / 86400.0 as decimal(9, 2))
{%- endmacro %}
