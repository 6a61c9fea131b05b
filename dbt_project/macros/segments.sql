{#- The segment of a row of grouping sets over pipeline_key and source_channel: its dimension
    (all, pipeline, source_channel) or the member of it. -#}
{% macro velocity_segment(part) -%}
    case
        when grouping(pipeline_key) = 0
            then {{ "'pipeline'" if part == 'dimension' else "coalesce(pipeline_key, 'unknown')" }}
        when grouping(source_channel) = 0
            then {{ "'source_channel'" if part == 'dimension' else 'source_channel' }}
        else 'all'
    end
{%- endmacro %}
