-- Grain: one row per merged-away company or contact, with the end of its chain.
-- A chain that returns to itself has no survivor: it is flagged, and its records stand alone.

with recursive merges as (
    select * from {{ ref('int_record_merges') }}
),

chains as (
    select
        record_type,
        loser_key,
        winner_key as reached_key,
        merged_at,
        [loser_key, winner_key] as path,
        false as is_cycle
    from merges

    union all

    select
        chains.record_type,
        chains.loser_key,
        merges.winner_key as reached_key,
        chains.merged_at,
        list_append(chains.path, merges.winner_key) as path,
        list_contains(chains.path, merges.winner_key) as is_cycle
    from chains
    inner join merges
        on
            chains.record_type = merges.record_type
            and chains.reached_key = merges.loser_key
    where not chains.is_cycle
),

final as (
    select
        record_type,
        loser_key,
        case
            when bool_or(is_cycle) then loser_key
            else max_by(reached_key, len(path))
        end as survivor_key,
        min(merged_at) as merged_at,
        bool_or(is_cycle) as is_cycle
    from chains
    group by record_type, loser_key
)

select * from final
