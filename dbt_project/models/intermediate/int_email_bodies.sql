-- Grain: one row per message whose text some mailbox shows, of connections that store bodies.
-- Without such a connection nothing is read: the text of mail is not even looked for.

{% set columns %}
    location_key, message_id, connection, body_text, is_body_cut, is_deleted, observed_at, sync_id,
    position, raw_version_id
{%- endset %}

with connections as (
    select connection from {{ ref('stg_config__connections') }}
    where stores_bodies
),

landed as (
    {% for source in ['gmail', 'imap', 'msgraph'] if has_source(source) -%}
        select
            '{{ source }}' as source_system,
            {{ columns }}
        from {{ ref('stg_' ~ source ~ '__messages') }}
        union all
    {% endfor -%}
    select
        cast(null as varchar) as source_system,
        cast(null as varchar) as location_key,
        cast(null as varchar) as message_id,
        cast(null as varchar) as connection,
        cast(null as varchar) as body_text,
        false as is_body_cut,
        false as is_deleted,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position,
        cast(null as varchar) as raw_version_id
    where false
),

versions as (
    select landed.*
    from landed
    inner join connections on landed.connection = connections.connection
),

places as (
    select
        location_key,
        arg_max(raw_version_id, (observed_at, sync_id, position)) as raw_version_id
    from versions
    group by location_key
),

-- The same text lies in every mailbox; one that was cut is second to one that is whole.
chosen as (
    select
        versions.message_id,
        min_by(
            versions.raw_version_id, (versions.is_body_cut, versions.location_key)
        ) as raw_version_id
    from versions
    inner join places on versions.raw_version_id = places.raw_version_id
    where not versions.is_deleted and versions.body_text is not null
    group by versions.message_id
),

final as (
    select
        versions.message_id,
        versions.body_text,
        versions.source_system,
        versions.connection,
        versions.raw_version_id,
        versions.is_body_cut
    from versions
    inner join chosen on versions.raw_version_id = chosen.raw_version_id
)

select * from final
