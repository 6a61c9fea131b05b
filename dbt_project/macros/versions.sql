{#- Of each record of a union model its newest content, with is_deleted as of the newest version:
    a record that is gone keeps what it last was. -#}
{% macro newest_versions(union, key) -%}
    select
        versions.* exclude (is_deleted),
        first_value(versions.is_deleted) over (
            partition by versions.{{ key }}
            order by versions.observed_at desc, versions.sync_id desc, versions.position desc
        ) as is_deleted
    from {{ ref(union) }} as versions
    qualify
        versions.change in ('upsert', 'archived')
        and row_number() over (
            partition by versions.{{ key }}
            order by
                case when versions.change in ('upsert', 'archived') then 0 else 1 end,
                versions.observed_at desc,
                versions.sync_id desc,
                versions.position desc
        ) = 1
{%- endmacro %}
