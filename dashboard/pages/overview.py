"""Overview: where the period stands, what moved, what needs somebody."""

from typing import Any

from dash import html

from dashboard.figures import waterfall
from dashboard.pages.movement import BRIDGE, bridge_picture
from dashboard.parts import panel, tile, tiles
from dashboard.sql import OWNED
from dashboard.view import ANY_PIPELINE, Column, Data, View, to

QUOTA = Data(
    "quota",
    """
select period_key, scope_key, quota_rc, won_rc, gap_rc, open_pipeline_rc, weighted_rc,
    projected_gap_rc, attainment, coverage, required_coverage, pace_expected_rc, pace_delta_rc,
    needed_per_business_day_rc, business_days_left, overdue_open_rc, target_mismatch_rc
from mart_quota_gap
where period_key = $period and scope_type = $scope_type and scope_key = $scope_key
    and credit_type = 'revenue' and measure = 'bookings'
""",
    [
        Column("period_key", "key"),
        *(
            Column(name, kind, to(leads, ANY_PIPELINE))
            for name, kind, leads in (
                ("quota_rc", "money", "quotas"),
                ("won_rc", "money", "won"),
                ("gap_rc", "money", "won"),
                ("open_pipeline_rc", "money", "due"),
                ("weighted_rc", "money", "due"),
                ("attainment", "share", "won"),
                ("coverage", "number", "due"),
                ("required_coverage", "number", "due"),
                ("pace_expected_rc", "money", "quotas"),
                ("pace_delta_rc", "money", "won"),
                ("needed_per_business_day_rc", "money", "quotas"),
            )
        ),
    ],
)
CHANGED = Data(
    "changed",
    f"""
select m.reason, count(distinct m.deal_key) as n_deals, sum(m.amount_rc) as amount_rc
from fct_pipeline_movement as m
inner join fct_deal as d on m.deal_key = d.deal_key
where m.basis = 'restated' and m.window_type = 'period' and m.ledger = 'pipeline'
    and m.period_key = $period and m.is_company_row
    and m.posted_date > $day - 7 and m.posted_date <= $day and {OWNED}
group by m.reason
order by abs(sum(m.amount_rc)) desc, m.reason
""",
    [
        Column("reason", "code"),
        Column("n_deals", "count", to("changed", a="reason")),
        Column("amount_rc", "money", to("changed", a="reason")),
    ],
)
DATASETS = (QUOTA, CHANGED)


def _coverage_note(view: View, row: dict[str, Any]) -> str:
    return view.words(
        "overview.coverage_note",
        coverage=view.words.number(row["coverage"]),
        required=view.words.number(row["required_coverage"]),
    )


def build(view: View) -> list[Any]:
    """The page."""
    words = view.words
    found = view.rows(QUOTA)
    row: dict[str, Any] = found[0] if found else {}

    def money(name: str) -> str:
        return words.money(row.get(name), view.currency)

    def behind(name: str) -> str:
        return view.href("/deals", **to(name, ANY_PIPELINE)({}))

    unbilled, stalled = view.total("billing", a="unbilled_late"), view.total("stalled")
    pace = row.get("pace_delta_rc")
    pace_note = "" if pace is None else words("overview.ahead" if pace >= 0 else "overview.behind")
    heads = [
        tile(view, "col.quota_rc", money("quota_rc"), behind("quotas")),
        tile(
            view,
            "col.won_rc",
            money("won_rc"),
            behind("won"),
            words.share(row.get("attainment")),
        ),
        tile(
            view,
            "col.gap_rc",
            money("gap_rc"),
            behind("won"),
            note=words("overview.days_left", n=words.count(row.get("business_days_left"))),
        ),
        tile(
            view,
            "col.open_pipeline_rc",
            money("open_pipeline_rc"),
            behind("due"),
            _coverage_note(view, row) if row else "",
        ),
        tile(
            view,
            "col.pace_delta_rc",
            money("pace_delta_rc"),
            behind("won"),
            pace_note,
        ),
        tile(
            view,
            "overview.unbilled",
            words.money(unbilled["value_rc"], view.currency),
            view.href("/deals", set="billing", a="unbilled_late"),
            words("n_deals", n=words.count(unbilled["n"])),
        ),
        tile(
            view,
            "overview.stalled",
            words.money(stalled["value_rc"], view.currency),
            view.href("/deals", set="stalled"),
            words("n_deals", n=words.count(stalled["n"])),
        ),
    ]
    moved, changed = view.rows(BRIDGE), view.rows(CHANGED)
    picture = None
    if changed:
        picture = waterfall(
            [words.code(one["reason"]) for one in changed],
            [one["amount_rc"] for one in changed],
            [False] * len(changed),
            words,
            view.currency,
        )
    return [
        tiles(heads),
        html.Div(
            [
                panel(view, BRIDGE, bridge_picture(view, moved), rows=moved, is_wide=True),
                panel(
                    view,
                    CHANGED,
                    picture,
                    rows=changed,
                    is_wide=True,
                    missing="empty.changed",
                    note=words("overview.week_note"),
                ),
                panel(view, QUOTA, rows=found, missing="empty.quota", is_wide=True),
            ],
            className="panels",
        ),
    ]
