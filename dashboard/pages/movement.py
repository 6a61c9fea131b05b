"""Movement: from the pipeline at the period's start to its end, reason by reason."""

from collections.abc import Mapping
from typing import Any

from dash import html

from dashboard.deal_sets import STANDING
from dashboard.figures import bars, waterfall
from dashboard.parts import panel, tile, tiles
from dashboard.sql import owned, rounded
from dashboard.view import Column, Data, Drill, View

_SCOPED = """
from mart_pipeline_movement
where basis = 'restated' and window_type = 'period' and movement_view = 'path'
    and measure = 'bookings' and period_key = $period
    and scope_type = case when $pipeline is not null and $scope_type = 'company'
        then 'pipeline' else $owner_scope_type end
    and scope_key = case when $pipeline is not null and $scope_type = 'company'
        then $pipeline else $scope_key end
"""
_BY_SIZE = """
order by case row_type when 'start' then 0 when 'end' then 2 else 1 end,
    amount_rc desc nulls last, reason
"""


def _to_a_day(ledger: str) -> str:
    """The bridge from the period's start to the end of a day: the postings until then.

    Exchange rates are posted as a deal moves and at the period's end. On a day between, what the
    deals of that day are worth more or less than the postings say is theirs too.
    """
    stood = STANDING.replace("$a", "'end'")
    end, rates = "opening.amount_rc + posted.amount_rc", ""
    if ledger == "pipeline":
        end = f"coalesce((select sum(value_rc) from ({stood}) as stood), 0)"
        rates = f"""
    union all
    select 'movement' as row_type, 'fx' as reason,
        {end} - opening.amount_rc - posted.amount_rc as amount_rc,
        posted.n_fx as n_events, cast(null as decimal(18, 4)) as slip_rc
    from opening cross join posted
"""
    return f"""
with opening as (
    select amount_rc, n_events {_SCOPED} and ledger = '{ledger}' and row_type = 'start'
),

moved as (
    select reason, sum(amount_rc) as amount_rc, count(*) as n_events,
        sum(case when is_slip then amount_rc else 0 end) as slip_rc
    from fct_pipeline_movement
    where basis = 'restated' and window_type = 'period' and ledger = '{ledger}'
        and measure = 'bookings' and period_key = $period and posted_date <= $day
        and case when $user is not null then is_owner_row and owner_user_key = $user
            when $team is not null then is_team_row and team_key = $team
            when $pipeline is not null then is_pipeline_row and pipeline_key = $pipeline
            else is_company_row end
    group by reason
),

posted as (
    select coalesce(sum(case when reason <> 'fx' then amount_rc end), 0) as amount_rc,
        coalesce(sum(case when reason = 'fx' then n_events end), 0) as n_fx
    from moved
),

bridge as (
    select 'start' as row_type, 'start' as reason, amount_rc, n_events,
        cast(null as decimal(18, 4)) as slip_rc
    from opening
    union all
    select 'movement' as row_type, reason, amount_rc, n_events, slip_rc
    from moved where reason <> 'fx'
{rates}
    union all
    select 'end' as row_type, 'end' as reason, {end} as amount_rc,
        cast(null as bigint) as n_events, cast(null as decimal(18, 4)) as slip_rc
    from opening cross join posted
)

select row_type, reason, amount_rc, n_events, slip_rc,
    cast(null as decimal(18, 4)) as transient_rc, cast(null as decimal(18, 4)) as residual_rc,
    cast(null as double precision) as slippage_rate,
    cast(null as decimal(18, 4)) as no_close_date_rc
from bridge {_BY_SIZE}
"""


def _of_ledger(name: str, fixed: Mapping[str, str] | None = None) -> Drill:
    """The way from a bar to its deals."""

    def way(row: Mapping[str, Any]) -> dict[str, str]:
        if row["row_type"] == "movement":
            return {"set": name, "a": row["reason"], **(fixed or {})}
        if name == "booked":
            return {"set": "won"}
        return {"set": "standing", "a": row["row_type"]}

    return way


BRIDGE = Data(
    "bridge",
    f"""
select row_type, reason, amount_rc, n_events, slip_rc, transient_rc, residual_rc, slippage_rate,
    no_close_date_rc
{_SCOPED} and ledger = 'pipeline' {_BY_SIZE}
""",
    [
        Column("reason", "code"),
        Column("n_events", "count", _of_ledger("moved")),
        Column("amount_rc", "money", _of_ledger("moved")),
        Column("slip_rc", "money", _of_ledger("moved", {"b": "slip"})),
        Column("transient_rc", "money", _of_ledger("moved", {"b": "transient"})),
    ],
    _to_a_day("pipeline"),
)
_UNTIL = "least($last_day, $day)"
# What fct_deal_daily says of these two days, asked of its sources: the view takes ten times as
# long, since it counts the pushes of every deal. A test holds both against each other.
THEN_NOW = Data(
    "then_now",
    f"""
with spot as (
    select currency_code, rate_date, rate_to_rc from fct_fx_rate where rate_type = 'spot'
),

was as (
    select v.deal_key, {rounded("cast(v.amount_amt as decimal(38, 4)) * spot.rate_to_rc")} as was_rc
    from fct_deal_version as v
    inner join fct_deal as d on v.survivor_deal_key = d.deal_key
    left join spot on v.currency_code = spot.currency_code and spot.rate_date = $first_day - 1
    where v.valid_from < $start_at and (v.valid_to is null or v.valid_to >= $start_at)
        and v.status = 'open' and v.expected_close_date between $first_day and $last_day
        and not v.is_deleted and not v.is_merged_away and not d.is_excluded and {owned("v")}
    order by was_rc desc nulls last, v.deal_key limit 200
),

pushes as (
    select deal_key, count(*) as n_pushes from fct_deal_change
    where is_push and changed_at >= $start_at and changed_at < $end_at
        and deal_key in (select deal_key from was)
    group by deal_key
)

select was.deal_key, deal.name, was.was_rc, v.status,
    {rounded("cast(v.amount_amt as decimal(38, 4)) * spot.rate_to_rc")} as is_rc,
    v.expected_close_date, coalesce(pushes.n_pushes, 0) as n_pushes
from was
inner join fct_deal as deal on was.deal_key = deal.deal_key
left join fct_deal_version as v
    on was.deal_key = v.deal_key and v.valid_from < $end_at
    and (v.valid_to is null or v.valid_to >= $end_at)
left join fct_deal_stage as stay
    on v.deal_key = stay.deal_key and v.valid_from >= stay.entered_at
    and (stay.exited_at is null or v.valid_from < stay.exited_at)
left join spot
    on v.currency_code = spot.currency_code and spot.rate_date = case when v.status = 'open'
        then {_UNTIL}
        else coalesce(stay.entered_date, cast(v.valid_from at time zone $zone as date)) end
left join pushes on was.deal_key = pushes.deal_key
order by was.was_rc desc nulls last, was.deal_key
""",
    [
        Column("name", "deal"),
        Column("was_rc", "money"),
        Column("is_rc", "money"),
        Column("status", "code"),
        Column("expected_close_date", "day"),
        Column("n_pushes", "count"),
    ],
)
BOOKINGS = Data(
    "bookings",
    f"select row_type, reason, amount_rc, n_events {_SCOPED} and ledger = 'bookings' {_BY_SIZE}",
    [
        Column("reason", "code"),
        Column("n_events", "count", _of_ledger("booked")),
        Column("amount_rc", "money", _of_ledger("booked")),
    ],
    _to_a_day("bookings"),
)
DATASETS = (BRIDGE, THEN_NOW, BOOKINGS)


def bridge_picture(view: View, rows: list[dict[str, Any]]) -> Any:
    """The waterfall of a bridge; None without rows."""
    if not rows:
        return None
    return waterfall(
        [view.words.code(row["reason"]) for row in rows],
        [row["amount_rc"] for row in rows],
        [row["row_type"] != "movement" for row in rows],
        view.words,
        view.currency,
    )


def build(view: View) -> list[Any]:
    """The page."""
    words = view.words
    rows, booked = view.rows(BRIDGE), view.rows(BOOKINGS)
    end: dict[str, Any] = next((row for row in rows if row["row_type"] == "end"), {})
    start: dict[str, Any] = next((row for row in rows if row["row_type"] == "start"), {})

    def money(row: dict[str, Any], name: str) -> str:
        return words.money(row.get(name), view.currency)

    ends = view.href("/deals", set="standing", a="end")
    heads = [
        tile(
            view,
            "code.start",
            money(start, "amount_rc"),
            view.href("/deals", set="standing", a="start"),
        ),
        tile(view, "code.end", money(end, "amount_rc"), ends),
        tile(view, "col.slippage_rate", words.share(end.get("slippage_rate")), ends),
        tile(
            view,
            "col.residual_rc",
            money(end, "residual_rc"),
            ends,
            words("movement.residual_note"),
        ),
        tile(
            view,
            "col.no_close_date_rc",
            money(end, "no_close_date_rc"),
            view.href("/deals", set="undated"),
        ),
    ]
    picture = None
    if booked:
        picture = bars(
            [words.code(row["reason"]) for row in booked],
            [row["amount_rc"] for row in booked],
            words,
            currency=view.currency,
        )
    return [
        tiles(heads),
        html.Div(
            [
                panel(view, BRIDGE, bridge_picture(view, rows), rows=rows, is_wide=True),
                panel(view, THEN_NOW, is_wide=True, note=words("movement.then_note")),
                panel(view, BOOKINGS, picture, rows=booked, is_wide=True),
            ],
            className="panels",
        ),
    ]
