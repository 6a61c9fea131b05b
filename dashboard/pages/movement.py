"""Movement: from the pipeline at the period's start to its end, reason by reason."""

from typing import Any

from dash import html

from dashboard.figures import bars, waterfall
from dashboard.parts import panel, tile, tiles
from dashboard.view import Column, Data, View

_SCOPED = """
from mart_pipeline_movement
where basis = 'restated' and window_type = 'period' and movement_view = 'path'
    and period_key = $period
    and scope_type = case when $pipeline is not null and $scope_type = 'company'
        then 'pipeline' else $owner_scope_type end
    and scope_key = case when $pipeline is not null and $scope_type = 'company'
        then $pipeline else $scope_key end
"""
BRIDGE = Data(
    "bridge",
    f"""
select row_type, reason, amount_rc, n_events, slip_rc, transient_rc, residual_rc, slippage_rate,
    no_close_date_rc
{_SCOPED} and ledger = 'pipeline'
order by case row_type when 'start' then 0 when 'end' then 2 else 1 end, amount_rc desc, reason
""",
    [
        Column("reason", "code"),
        Column("n_events", "count"),
        Column(
            "amount_rc",
            "money",
            lambda row: (
                {"set": "due"} if row["row_type"] == "end" else {"set": "moved", "a": row["reason"]}
            ),
        ),
        Column("slip_rc", "money"),
        Column("transient_rc", "money"),
    ],
)
THEN_NOW = Data(
    "then_now",
    """
with was as (
    select deal_key, amount_rc, n_pushes_to_date from fct_deal_daily
    where basis = 'restated' and date = $first_day - 1 and status = 'open'
        and expected_close_date between $first_day and $last_day
        and not (is_deleted or is_merged_away or is_excluded)
        and ($user is null or owner_user_key = $user)
        and ($team is null or owner_user_key in
            (select user_key from dim_user where is_current and team_key = $team))
        and ($pipeline is null or pipeline_key = $pipeline)
    order by amount_rc desc, deal_key limit 200
)

select was.deal_key, deal.name, was.amount_rc as was_rc, now_.status, now_.amount_rc as is_rc,
    now_.expected_close_date, now_.n_pushes_to_date - was.n_pushes_to_date as n_pushes
from was
inner join fct_deal as deal on was.deal_key = deal.deal_key
left join (
    select * from fct_deal_daily
    where basis = 'restated' and date = least(cast($as_of as date) - 1, $last_day)
        and deal_key in (select deal_key from was)
) as now_ on was.deal_key = now_.deal_key
order by was.amount_rc desc, was.deal_key
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
    f"""
select row_type, reason, amount_rc, n_events
{_SCOPED} and ledger = 'bookings'
order by case row_type when 'start' then 0 when 'end' then 2 else 1 end, amount_rc desc, reason
""",
    [Column("reason", "code"), Column("n_events", "count"), Column("amount_rc", "money")],
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
    heads = [
        tile(view, "code.start", words.money(start.get("amount_rc"), view.currency)),
        tile(
            view,
            "code.end",
            words.money(end.get("amount_rc"), view.currency),
            view.href("/deals", set="due"),
        ),
        tile(view, "col.slippage_rate", words.share(end.get("slippage_rate"))),
        tile(
            view,
            "col.residual_rc",
            words.money(end.get("residual_rc"), view.currency),
            note=words("movement.residual_note"),
        ),
        tile(view, "col.no_close_date_rc", words.money(end.get("no_close_date_rc"), view.currency)),
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
                panel(view, BOOKINGS, picture, rows=booked),
            ],
            className="panels",
        ),
    ]
