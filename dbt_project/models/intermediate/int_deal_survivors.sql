-- Grain: one row per deal that was merged into another, with the end of its chain.
--
-- A merge of merges (A into B, B into C) ends at C. A chain that returns to itself has no
-- end: its deals stand for themselves and are flagged, and check R-21 stops publication.

with recursive versions as (
    select * from {{ ref('int_deals_unioned') }}
    where merged_into_key is not null or merged_ids is not null
),

stated as (
    -- The loser's own last word.
    select
        deal_key as loser_key,
        merged_into_key as winner_key,
        coalesce(source_updated_at, observed_at) as merged_at,
        observed_at as seen_at
    from versions
    where merged_into_key is not null

    union all

    -- The survivor's list of those it swallowed: "101;102".
    select
        concat(connection, ':', trim(loser_id)) as loser_key,
        deal_key as winner_key,
        coalesce(source_updated_at, observed_at) as merged_at,
        observed_at as seen_at
    from (
        select
            connection,
            deal_key,
            source_updated_at,
            observed_at,
            unnest(string_split(merged_ids, ';')) as loser_id
        from versions
        where merged_ids is not null
    ) as swallowed
    where trim(loser_id) != ''
),

merges as (
    -- Stated again with every later version: the first statement counts. A survivor that was
    -- itself merged hands its list on to the next one; the loser's first winner is the edge.
    select
        loser_key,
        arg_min(winner_key, (merged_at, seen_at, winner_key)) as winner_key,
        min(merged_at) as merged_at,
        min(seen_at) as seen_at
    from stated
    where loser_key != winner_key
    group by loser_key
),

chains as (
    select
        loser_key as deal_key,
        winner_key as reached_key,
        [loser_key] as path,
        false as is_cycle
    from merges

    union all

    select
        chains.deal_key,
        merges.winner_key as reached_key,
        list_append(chains.path, chains.reached_key) as path,
        list_contains(chains.path, merges.winner_key)
        or merges.winner_key = chains.reached_key as is_cycle
    from chains
    inner join merges
        on chains.reached_key = merges.loser_key
    where not chains.is_cycle
),

ends as (
    select
        deal_key,
        arg_max(reached_key, len(path)) as end_key,
        max(len(path)) as n_hops,
        bool_or(is_cycle) as is_cycle
    from chains
    group by deal_key
),

final as (
    select
        ends.deal_key,
        case when ends.is_cycle then ends.deal_key else ends.end_key end as survivor_deal_key,
        merges.winner_key as merged_into_key,
        ends.n_hops,
        ends.is_cycle,
        merges.merged_at,
        merges.seen_at
    from ends
    inner join merges
        on ends.deal_key = merges.loser_key
)

select * from final
