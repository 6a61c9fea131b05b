{#- What a month of a subscription costs after its discounts, from its items and discounts.

    Both arguments are names of CTEs:
      items      version_id, item_no, monthly_minor: what a month of the item costs
      discounts  version_id, item_no (null: off the whole), item_nos (those of the whole that it
                 is for; null: all), place (they are taken off in this order), percent_off,
                 monthly_off_minor, starts_at, ends_at

    Gives per version the cost before discounts, and as a list the cost after those in force
    until each instant at which one begins or ends, the last one without end. A discount off the
    items comes before one off the whole; nothing falls below zero. -#}
{% macro discounted_months(items, discounts) -%}
{%- set amount = 'decimal(28, 8)' -%}
{%- set off = 'struct(minor ' ~ amount ~ ', percent_off decimal(9, 4))' -%}
{%- set rest -%}
    lambda held, one: cast({
        'minor': greatest(
            cast(held.minor * (100 - one.percent_off) * 0.01 as {{ amount }}) - one.minor, 0
        ),
        'percent_off': 0
    } as {{ off }})
{%- endset -%}
    with changes as (
        select version_id, starts_at as changed_at from {{ discounts }}
        where starts_at is not null
        union
        select version_id, ends_at from {{ discounts }}
        where ends_at is not null
        union
        select version_id, cast('1970-01-01 00:00:00+00' as {{ instant_type() }}) from {{ discounts }}
    ),

    segments as (
        select
            version_id,
            changed_at as from_at,
            lead(changed_at) over (partition by version_id order by changed_at) as until_at
        from changes
    ),

    in_force as (
        select
            segments.from_at,
            discounts.*
        from segments
        inner join {{ discounts }} as discounts
            on
                segments.version_id = discounts.version_id
                and (discounts.starts_at is null or discounts.starts_at <= segments.from_at)
                and (discounts.ends_at is null or discounts.ends_at > segments.from_at)
    ),

    item_offs as (
        select
            version_id,
            from_at,
            item_no,
            list(
                cast({'minor': coalesce(monthly_off_minor, 0), 'percent_off': coalesce(percent_off, 0)}
                    as {{ off }})
                order by place
            ) as offs
        from in_force
        where item_no is not null
        group by version_id, from_at, item_no
    ),

    item_costs as (
        select
            segments.version_id,
            segments.from_at,
            items.item_no,
            {{ list_fold("list_prepend(
                cast({'minor': items.monthly_minor, 'percent_off': 0} as " ~ off ~ "),
                coalesce(item_offs.offs, [])
            )", rest) }}.minor as minor
        from segments
        inner join {{ items }} as items on segments.version_id = items.version_id
        left join item_offs
            on
                segments.version_id = item_offs.version_id
                and segments.from_at = item_offs.from_at
                and items.item_no = item_offs.item_no
    ),

    costs as (
        select
            version_id,
            from_at,
            sum(minor) as minor
        from item_costs
        group by version_id, from_at
    ),

    -- A discount for some of the items takes its share of what those cost.
    shares as (
        select
            in_force.version_id,
            in_force.from_at,
            in_force.place,
            sum(item_costs.minor) as minor
        from in_force
        inner join item_costs
            on
                in_force.version_id = item_costs.version_id
                and in_force.from_at = item_costs.from_at
                and list_contains(in_force.item_nos, item_costs.item_no)
        where in_force.item_no is null
        group by in_force.version_id, in_force.from_at, in_force.place
    ),

    whole_offs as (
        select
            in_force.version_id,
            in_force.from_at,
            list(
                cast(case
                    when in_force.item_nos is null then {
                        'minor': coalesce(in_force.monthly_off_minor, 0),
                        'percent_off': coalesce(in_force.percent_off, 0)
                    }
                    else {
                        'minor': least(
                            coalesce(
                                cast(shares.minor * in_force.percent_off * 0.01 as {{ amount }}),
                                in_force.monthly_off_minor, 0
                            ),
                            coalesce(shares.minor, 0)
                        ),
                        'percent_off': 0
                    }
                end as {{ off }})
                order by in_force.place
            ) as offs
        from in_force
        left join shares
            on
                in_force.version_id = shares.version_id
                and in_force.from_at = shares.from_at
                and in_force.place = shares.place
        where in_force.item_no is null
        group by in_force.version_id, in_force.from_at
    ),

    steps as (
        select
            segments.version_id,
            list({
                'until_at': segments.until_at,
                'minor': {{ list_fold("list_prepend(
                    cast({'minor': costs.minor, 'percent_off': 0} as " ~ off ~ "),
                    coalesce(whole_offs.offs, [])
                )", rest) }}.minor
            } order by segments.from_at) as steps
        from segments
        inner join costs
            on segments.version_id = costs.version_id and segments.from_at = costs.from_at
        left join whole_offs
            on
                segments.version_id = whole_offs.version_id
                and segments.from_at = whole_offs.from_at
        group by segments.version_id
    ),

    full_costs as (
        select
            version_id,
            cast(sum(monthly_minor) as {{ amount }}) as monthly_minor
        from {{ items }}
        group by version_id
    )

    select
        full_costs.version_id,
        full_costs.monthly_minor,
        steps.steps
    from full_costs
    left join steps on full_costs.version_id = steps.version_id
{%- endmacro %}
