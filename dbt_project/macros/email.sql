{#- An address as identity: lower case, +tag dropped only at hosts known to ignore it. -#}
{% macro address_identity(address) -%}
    case
        when split_part(lower({{ address }}), '@', 2) in (
            select domain from {{ ref('plus_tag_domains') }}
        )
            then concat(
                split_part(split_part(lower({{ address }}), '@', 1), '+', 1),
                '@',
                split_part(lower({{ address }}), '@', 2)
            )
        else lower({{ address }})
    end
{%- endmacro %}

{#- The domain of an address, lower case. -#}
{% macro address_domain(address) -%}
    nullif(split_part(lower({{ address }}), '@', 2), '')
{%- endmacro %}

{#- A subject in lower case without the marks of answers and forwards (Re:, AW:, Fwd:, RE[2]:). -#}
{% macro plain_subject(subject) -%}
    trim(
        regexp_replace(
            lower(coalesce({{ subject }}, '')),
            '^(\s*(re|aw|antw|sv|vs|fwd?|wg|tr|rif)(\[\d+\])?\s*:)+',
            ''
        )
    )
{%- endmacro %}
