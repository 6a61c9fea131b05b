-- Grain: one row per declared share of a deal's credit, newest state.
--
-- A file may name the deal by its key, by an id of its own connection, or by the id of a deal
-- of another connection: the nearest match wins.

with typed_nothing as (
    select
        cast(null as varchar) as deal_key,
        cast(null as varchar) as user_key,
        cast(null as varchar) as credit_type,
        cast(null as decimal(9, 6)) as share,
        cast(null as {{ instant_type() }}) as valid_from,
        cast(null as {{ instant_type() }}) as valid_to,
        cast(null as varchar) as raw_version_id
    where false
)

{% if has_source('files') %},
newest as (
    select * from {{ ref('stg_files__deal_credits') }}
    where change != 'access_lost'
    qualify row_number() over (
        partition by deal_credit_key
        order by observed_at desc, sync_id desc, position desc
    ) = 1
),

deals as (
    select deal_key, deal_id, connection, created_at, first_observed_at
    from {{ ref('int_deals_current') }}
),

matched as (
    select
        newest.*,
        deals.deal_key,
        least(
            coalesce(deals.created_at, deals.first_observed_at), deals.first_observed_at
        ) as deal_from
    from newest
    inner join deals
        on
            newest.deal_id = deals.deal_key
            or (newest.deal_id = deals.deal_id)
    where not newest.is_deleted and newest.user_email is not null
    qualify row_number() over (
        partition by newest.deal_credit_key
        order by
            newest.deal_id != deals.deal_key,
            newest.connection != deals.connection,
            deals.deal_key
    ) = 1
),

declared as (
    select
        deal_key,
        user_email as user_key,
        case when credit_type = 'overlay' then 'overlay' else 'revenue' end as credit_type,
        share,
        greatest(coalesce({{ start_of_day('valid_from') }}, deal_from), deal_from)
            as valid_from,
        {{ start_of_day('valid_to') }} as valid_to,
        raw_version_id
    from matched
    where share > 0
)
{% endif %}

select * from typed_nothing
{% if has_source('files') %}
union all
select * from declared
where valid_from < valid_to or valid_to is null
{% endif %}
