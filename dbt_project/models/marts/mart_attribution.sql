-- Grain: one row per won deal x touch up to the win; a deal without any has one row of channel
-- unknown. Touches: the leads that became the deal, else the channel that the deal itself
-- states; and what the other side took part in: meetings, calls, its mail. A channel's
-- conversations of one day are one touch.

{% set kinds = var('attribution_touches') %}
{% set models = ['first_touch', 'last_touch', 'linear', 'position', 'time_decay'] %}
{% set values = ['booked', 'billed', 'paid_net'] %}
{% set reporting_currency = "'" ~ var('reporting_currency') ~ "'" %}

with deals as (
    select
        deal_key,
        pipeline_key,
        source_channel,
        amount_at_won_rc,
        closed_date,
        created_at,
        won_at
    from {{ ref('fct_deal') }}
    where status = 'won' and not is_deleted and not is_excluded
),

leads as (
    select
        deal_key,
        lead_key,
        coalesce(source_channel, 'unknown') as channel,
        campaign,
        created_at
    from {{ ref('fct_lead') }}
    where deal_key is not null and not is_deleted and created_at is not null
),

spoken as (
    select
        unnest(deal_keys) as deal_key,
        type as kind,
        occurred_date as spoken_date,
        occurred_at as spoken_at
    from {{ ref('fct_activity') }}
    where type in ('meeting', 'call') and done and is_two_way and not is_deleted
    union all
    select
        deal_key,
        'email' as kind,
        sent_date as spoken_date,
        sent_at as spoken_at
    from {{ ref('fct_email') }}
    where
        deal_key is not null
        and direction = 'in'
        and not is_auto_reply
        and not is_bounce
        and not is_deleted
),

touches as (
    select
        deals.deal_key,
        'lead' as touch_kind,
        leads.lead_key as touch_ref,
        leads.channel,
        leads.campaign,
        leads.created_at as touch_at
    from deals
    inner join leads on deals.deal_key = leads.deal_key
    where leads.created_at <= deals.won_at
    union all
    select
        deals.deal_key,
        'deal' as touch_kind,
        'created' as touch_ref,
        deals.source_channel as channel,
        cast(null as varchar) as campaign,
        deals.created_at as touch_at
    from deals
    anti join leads on deals.deal_key = leads.deal_key
    where deals.source_channel is not null and deals.created_at <= deals.won_at
    union all
    select
        deals.deal_key,
        spoken.kind as touch_kind,
        cast(spoken.spoken_date as varchar) as touch_ref,
        spoken.kind as channel,
        cast(null as varchar) as campaign,
        min(spoken.spoken_at) as touch_at
    from deals
    inner join spoken on deals.deal_key = spoken.deal_key
    where spoken.spoken_at <= deals.won_at
    group by deals.deal_key, spoken.kind, spoken.spoken_date
),

placed as (
    select
        *,
        row_number() over (partition by deal_key order by touch_at, touch_kind, touch_ref)
            as touch_no,
        count(*) over (partition by deal_key) as n_touches,
        max(touch_at) over (partition by deal_key) as last_touch_at
    from touches
    where touch_kind in ('{{ kinds | join("', '") }}')
),

-- Before the last touch by so many half-lives: it counts half as much with each.
decayed as (
    select
        *,
        power(
            0.5,
            {{ seconds_between('touch_at', 'last_touch_at') }}
            / ({{ var('attribution_half_life_days') }} * 86400.0)
        ) as decay
    from placed
),

shared as (
    select
        *,
        decay / sum(decay) over (partition by deal_key) as decay_share
    from decayed
),

-- The last touch has no rounded weight here: it takes what the others leave.
weighted as (
    select
        shared.*,
        touch_no = n_touches as is_last,
        case when touch_no = 1 then 1 else 0 end as first_touch,
        0 as last_touch,
        1.0 / n_touches as linear,
        case
            when n_touches = 2 then 0.5
            when touch_no = 1 then 0.4
            else 0.2 / nullif(n_touches - 2, 0)
        end as position,
        decay_share as time_decay
    from shared
),

gathered as (
    select
        deals.deal_key,
        deals.pipeline_key,
        coalesce(weighted.touch_kind, 'none') as touch_kind,
        coalesce(weighted.touch_ref, 'none') as touch_ref,
        coalesce(weighted.channel, 'unknown') as channel,
        weighted.campaign,
        coalesce(weighted.touch_no, 1) as touch_no,
        coalesce(weighted.n_touches, 0) as n_touches,
        coalesce(weighted.is_last, true) as is_last,
        weighted.touch_at,
        deals.closed_date,
        deals.won_at,
        deals.amount_at_won_rc as booked_rc,
        coalesce(cash.billed_net_rc, 0) as billed_rc,
        coalesce(cash.paid_rc - cash.refunded_rc, 0) as paid_net_rc,
        {% for model in models %}
            cast(weighted.{{ model }} as decimal(9, 6)) as {{ model }}{{ ',' if not loop.last }}
        {% endfor %}
    from deals
    left join weighted on deals.deal_key = weighted.deal_key
    left join {{ ref('int_deal_cash') }} as cash on deals.deal_key = cash.deal_key
),

valued as (
    select
        *,
        {% for model in models %}
            {% for value in values %}
                {{ round_money(
                    'cast(' ~ value ~ '_rc as decimal(28, 4)) * ' ~ model, reporting_currency
                ) }} as {{ value }}_{{ model }}{{ ',' if not loop.last }}
            {% endfor %}
            {{ ',' if not loop.last }}
        {% endfor %}
    from gathered
),

others as (
    select
        deal_key,
        {% for model in models %}
            coalesce(sum({{ model }}) filter (where not is_last), 0) as {{ model }},
            {% for value in values %}
                coalesce(sum({{ value }}_{{ model }}) filter (where not is_last), 0)
                    as {{ value }}_{{ model }}{{ ',' if not loop.last }}
            {% endfor %}
            {{ ',' if not loop.last }}
        {% endfor %}
    from valued
    group by deal_key
),

final as (
    select
        concat_ws('|', valued.deal_key, valued.touch_kind, valued.touch_ref) as attribution_key,
        valued.deal_key,
        valued.pipeline_key,
        valued.touch_kind,
        valued.channel,
        valued.campaign,
        {% for value in values %}
            {% for model in models %}
                cast(case
                    when valued.is_last
                        then valued.{{ value }}_rc - others.{{ value }}_{{ model }}
                    else valued.{{ value }}_{{ model }}
                end as {{ money_type() }}) as {{ value }}_{{ model }}_rc,
            {% endfor %}
        {% endfor %}
        {% for model in models %}
            cast(case
                when valued.is_last then 1 - others.{{ model }}
                else valued.{{ model }}
            end as decimal(9, 6)) as weight_{{ model }},
        {% endfor %}
        cast(valued.touch_no as bigint) as touch_no,
        cast(valued.n_touches as bigint) as n_touches,
        {{ company_date('valued.touch_at') }} as touch_date,
        valued.closed_date as won_date,
        {{ as_of_date() }} as as_of_date,
        valued.touch_at,
        valued.won_at
    from valued
    inner join others on valued.deal_key = others.deal_key
)

select * from final
