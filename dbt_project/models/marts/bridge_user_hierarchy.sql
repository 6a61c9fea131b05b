-- Grain: one row per ancestor x descendant x interval; depth 0 is the user's own row.
-- A line that leads back to somebody below is cut there and flagged.

with recursive lines as (
    select * from {{ ref('int_user_reporting_lines') }}
),

selves as (
    select
        user_key,
        min(valid_from) as valid_from,
        max(coalesce(valid_to, {{ far_future() }})) as valid_to
    from {{ ref('dim_user') }}
    group by user_key
),

climbed as (
    select
        user_key as ancestor_user_key,
        user_key as descendant_user_key,
        cast(0 as bigint) as depth,
        [user_key] as path,
        false as is_cycle_cut,
        valid_from,
        valid_to
    from selves
    union all
    select
        lines.manager_user_key as ancestor_user_key,
        climbed.descendant_user_key,
        climbed.depth + 1 as depth,
        list_append(climbed.path, lines.manager_user_key) as path,
        list_contains(climbed.path, lines.manager_user_key) as is_cycle_cut,
        greatest(climbed.valid_from, lines.valid_from) as valid_from,
        least(climbed.valid_to, lines.valid_to) as valid_to
    from climbed
    inner join lines
        on
            climbed.ancestor_user_key = lines.user_key
            and climbed.valid_from < lines.valid_to
            and climbed.valid_to > lines.valid_from
    where not climbed.is_cycle_cut
),

-- A row that closes a circle is no ancestry; it marks the last step before it.
cuts as (
    select
        descendant_user_key,
        {{ list_at('path', -2) }} as ancestor_user_key,
        depth - 1 as depth,
        valid_from,
        valid_to
    from climbed
    where is_cycle_cut
),

final as (
    select
        concat_ws(
            '|',
            climbed.ancestor_user_key,
            climbed.descendant_user_key,
            array_to_string(climbed.path, '>'),
            cast(epoch_ms(climbed.valid_from) as varchar)
        ) as user_hierarchy_key,
        climbed.ancestor_user_key,
        climbed.descendant_user_key,
        'reporting' as tree,
        climbed.depth,
        exists(
            select 1
            from cuts
            where
                climbed.descendant_user_key = cuts.descendant_user_key
                and climbed.ancestor_user_key = cuts.ancestor_user_key
                and climbed.depth = cuts.depth
                and cuts.valid_from < climbed.valid_to
                and climbed.valid_from < cuts.valid_to
        ) as is_cycle_cut,
        climbed.valid_from,
        nullif(climbed.valid_to, {{ far_future() }}) as valid_to
    from climbed
    where not climbed.is_cycle_cut
)

select * from final
