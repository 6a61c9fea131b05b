-- Grain: one row per deal that is known, or was when its history was last built.
--
-- The fingerprint stands for all that the history of a deal is told from: its landed versions
-- and those of other tables, the syncs around them, its merges, and the stages, users and
-- settings that all deals share. Another fingerprint than at the last build means that the
-- deal's rows are computed anew; a changed stage or user that they all are.

with versions as (
    select * from {{ ref('int_deals_unioned') }}
),

events as (
    select * from {{ ref('int_deal_field_events_unioned') }}
    where not coalesce(is_told_by_deal, false)
),

merges as (
    select * from {{ ref('int_deal_survivors') }}
),

looks as (
    {{ looks_before('versions') }}
),

stages as (
    select
        stage_key,
        pipeline_key,
        stage_type,
        stage_order,
        is_first_version,
        valid_from,
        valid_to
    from {{ ref('dim_stage') }}
),

users as (
    select * from {{ ref('int_user_map') }}
),

connections as (
    select * from {{ ref('stg_config__connections') }}
),

of_all_deals as (
    select sum(part) as shared_fingerprint
    from (
        select {{ fingerprint('stages') }} as part from stages
        union all
        select {{ fingerprint('users') }} as part from users
        union all
        select {{ fingerprint('connections') }} as part from connections
    ) as parts
),

of_one_deal as (
    select
        versions.deal_key,
        {{ fingerprint('versions') }} as part
    from versions
    group by versions.deal_key

    union all

    select
        events.deal_key,
        {{ fingerprint('events') }} as part
    from events
    group by events.deal_key

    union all

    select
        merges.deal_key,
        {{ fingerprint('merges') }} as part
    from merges
    group by merges.deal_key

    union all

    -- A sync that comes to light late moves the look before the next one's.
    select
        versions.deal_key,
        {{ fingerprint('versions.raw_version_id, looks.previous_looked_at') }} as part
    from versions
    inner join looks
        on
            versions.connection = looks.connection
            and versions.sync_id = looks.sync_id
    group by versions.deal_key
),

now as (
    select
        of_one_deal.deal_key,
        sum(of_one_deal.part) + coalesce(any_value(of_all_deals.shared_fingerprint), 0)
            as fingerprint
    from of_one_deal
    cross join of_all_deals
    group by of_one_deal.deal_key
),

final as (
    select
        coalesce(now.deal_key, built.deal_key) as deal_key,
        now.fingerprint,
        now.fingerprint is distinct from built.fingerprint as is_changed
    from now
    full outer join {{ ref('stg_meta__deals_built') }} as built
        on now.deal_key = built.deal_key
)

select * from final
