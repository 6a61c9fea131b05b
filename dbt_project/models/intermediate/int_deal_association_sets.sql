-- Grain: one row per deal, kind (company, contact), version of the set and member of it.
--
-- A set that became empty has one row without a member, so that its predecessor ends.

with typed_nothing as (
    select
        cast(null as varchar) as deal_key,
        cast(null as varchar) as kind,
        cast(null as varchar) as member_key,
        cast(null as varchar) as role,
        cast(null as boolean) as is_primary,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position,
        cast(null as varchar) as raw_version_id
    where false
)

{% if has_source('hubspot') %},
hubspot_sets as (
    {% for kind, list_name in [('company', 'companies'), ('contact', 'contacts')] %}
    {% if not loop.first %}union all{% endif %}
    select
        deal_key,
        connection,
        '{{ kind }}' as kind,
        case
            when change = 'upsert' and len({{ list_name }}) > 0 then {{ list_name }}
            else [null]
        end as members,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_hubspot__deal_associations') }}
    where change != 'access_lost'
    {% endfor %}
),

hubspot_members as (
    select
        * exclude (members),
        len(list_distinct(list_transform(members, lambda one: one.id))) = 1 as is_only_one,
        coalesce(
            list_bool_or(list_transform(members, lambda one: coalesce(one.primary, false))), false
        ) as has_primary,
        unnest(members) as member
    from hubspot_sets
),

hubspot as (
    select
        deal_key,
        kind,
        concat(connection, ':') || member.id as member_key,
        unnest(
            case when len(member.labels) > 0 then list_distinct(member.labels) else ['related'] end
        ) as role,
        coalesce(member.primary, false) or (is_only_one and not has_primary) as is_primary,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from hubspot_members
)
{% endif %}

{% if has_source('files') %},
files as (
    {% for kind in ['company', 'contact'] %}
    {% if not loop.first %}union all{% endif %}
    select
        deal_key,
        '{{ kind }}' as kind,
        case when has_content and not is_deleted then source_{{ kind }}_key end as member_key,
        'related' as role,
        true as is_primary,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('int_deals_unioned') }}
    where source_system = 'files' and change != 'access_lost'
    {% endfor %}
)
{% endif %}

select * from typed_nothing
{% if has_source('hubspot') %}
union all
select * from hubspot
{% endif %}
{% if has_source('files') %}
union all
select * from files
{% endif %}
