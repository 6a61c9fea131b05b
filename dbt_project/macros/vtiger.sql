{#- What the clock of a landed row is off UTC: the connector reads modifiedtime in the server's
    zone, so the two tell it. No offset where the wall clock showed the hour twice. -#}
{% macro vtiger_offset() -%}
    coalesce(landed.source_updated_at - landed.record.modifiedtime, interval '0 seconds')
{%- endmacro %}
