"""Forecast and quota: the team tree, what each method says and how right it was."""

from collections.abc import Mapping
from typing import Any

from dash import html

from dashboard.figures import AMBER, BLUE, bars, intervals, lines
from dashboard.parts import panel, tile, tiles
from dashboard.sql import OWNED
from dashboard.view import ANY_PIPELINE, Column, Data, Drill, View, to


def _of_scope(name: str) -> Drill:
    """The way to a list of the row's own scope."""

    def way(row: Mapping[str, Any]) -> dict[str, str]:
        kind = row["scope_type"]
        return {
            "set": name,
            **ANY_PIPELINE,
            "scope": kind if kind == "company" else f"{kind}:{row['scope_key']}",
        }

    return way


def _expected(row: Mapping[str, Any]) -> dict[str, str]:
    """What a method goes by: what was handed in, or the deals won and due."""
    return {"set": "submissions" if row["method"] == "submission" else "expected", **ANY_PIPELINE}


TREE = Data(
    "tree",
    """
select q.scope_type, q.scope_key, coalesce(u.name, q.scope_key) as scope_name, q.quota_rc,
    q.won_rc, q.gap_rc, q.open_pipeline_rc, q.coverage, q.attainment, f.forecast_rc,
    s.adjustment_rc, q.target_mismatch_rc
from mart_quota_gap as q
left join dim_user as u on q.user_key = u.user_key and u.is_current
left join mart_forecast as f
    on q.scope_type = f.scope_type and q.scope_key = f.scope_key and q.period_key = f.period_key
    and f.measure = q.measure and f.is_now and f.method = $method
left join (
    select scope_type, scope_key, period_key, adjustment_rc, row_number() over (
        partition by scope_type, scope_key, period_key
        order by submitted_at desc, forecast_submission_key) as place
    from fct_forecast_submission where not is_deleted
) as s on s.place = 1 and q.scope_type = s.scope_type and q.scope_key = s.scope_key
    and q.period_key = s.period_key
where q.period_key = $period and q.credit_type = 'revenue' and q.measure = 'bookings'
    and q.scope_type in ('company', 'team', 'user')
    and ($team is null or (q.scope_type = 'team' and q.scope_key = $team)
        or (q.scope_type = 'user' and q.scope_key in
            (select user_key from dim_user where is_current and team_key = $team)))
    and ($user is null or (q.scope_type = 'user' and q.scope_key = $user))
order by case when q.scope_type = 'company' then ''
        else coalesce(q.team_key, u.team_key, q.scope_key) end,
    case q.scope_type when 'company' then 0 when 'team' then 1 else 2 end,
    q.quota_rc desc nulls last, q.scope_key
""",
    [
        Column("scope_name", "scope"),
        Column("scope_type", "code"),
        *(
            Column(name, kind, _of_scope(leads))
            for name, kind, leads in (
                ("quota_rc", "money", "quotas"),
                ("won_rc", "money", "won"),
                ("gap_rc", "money", "won"),
                ("attainment", "share", "won"),
                ("open_pipeline_rc", "money", "due"),
                ("coverage", "number", "due"),
                ("forecast_rc", "money", "expected"),
                ("adjustment_rc", "money", "submissions"),
                ("target_mismatch_rc", "money", "quotas"),
            )
        ),
    ],
)
METHODS = Data(
    "methods",
    """
select method, forecast_rc, p10_rc, p50_rc, p90_rc, n_periods, reason from mart_forecast
where is_now and period_key = $period and scope_type = $scope_type and scope_key = $scope_key
    and measure = 'bookings'
order by case method when 'commit' then 1 when 'most_likely' then 2 when 'best_case' then 3
    when 'pipeline_all' then 4 when 'crm_weighted' then 5 when 'learned_weighted' then 6
    when 'historical_conversion' then 7 else 8 end
""",
    [
        Column("method", "code"),
        *(
            Column(name, "money", _expected)
            for name in ("forecast_rc", "p10_rc", "p50_rc", "p90_rc")
        ),
        Column("n_periods", "count"),
        Column("reason"),
    ],
)
ACCURACY = Data(
    "accuracy",
    """
select period_key, rel_day_bucket, forecast_rc, actual_rc, error_rc, abs_pct, p10_rc, p90_rc,
    inside_p10_p90, bias, wape, achieved_coverage
from mart_forecast_accuracy
where method = $method and scope_type = $scope_type and scope_key = $scope_key
    and period_grain = 'quarter' and rel_day_bucket = 0.5 and measure = 'bookings'
order by period_start_date
""",
    [
        Column("period_key", "key"),
        Column("forecast_rc", "money", to("won", ANY_PIPELINE, period="period_key")),
        Column("actual_rc", "money", to("won", ANY_PIPELINE, period="period_key")),
        Column("error_rc", "money", to("won", ANY_PIPELINE, period="period_key")),
        Column("abs_pct", "share", to("won", ANY_PIPELINE, period="period_key")),
        Column("inside_p10_p90", "flag"),
        Column("bias", "share", to("won", ANY_PIPELINE, period="period_key")),
        Column("wape", "share", to("won", ANY_PIPELINE, period="period_key")),
        Column("achieved_coverage", "share", to("won", ANY_PIPELINE, period="period_key")),
    ],
)
CATEGORIES = Data(
    "categories",
    f"""
select coalesce(d.forecast_category, 'pipeline') as category, count(*) as n_deals,
    sum(d.amount_rc) as amount_rc
from fct_deal as d
where d.status = 'open' and not d.is_deleted and not d.is_excluded
    and d.duplicate_of_deal_key is null
    and d.expected_close_date between $first_day and $last_day and d.amount_rc >= 0
    and {OWNED}
group by coalesce(d.forecast_category, 'pipeline')
order by amount_rc desc nulls last, category
""",
    [
        Column("category", "code"),
        Column("n_deals", "count", to("category", a="category")),
        Column("amount_rc", "money", to("category", a="category")),
    ],
)
DATASETS = (TREE, METHODS, ACCURACY, CATEGORIES)


def build(view: View) -> list[Any]:
    """The page."""
    words = view.words
    tree, methods, accuracy, categories = (view.rows(data) for data in DATASETS)
    chosen: dict[str, Any] = next(
        (row for row in methods if row["method"] == view.filters.method), {}
    )
    own: dict[str, Any] = next(
        (
            row
            for row in tree
            if row["scope_type"] == view.filters.scope_type
            and row["scope_key"] == view.filters.scope_key
        ),
        {},
    )

    def money(row: dict[str, Any], name: str) -> str:
        return words.money(row.get(name), view.currency)

    said_by = view.href("/deals", **_expected({"method": view.filters.method}))
    heads = [
        tile(
            view,
            "col.quota_rc",
            money(own, "quota_rc"),
            view.href("/deals", set="quotas", **ANY_PIPELINE),
        ),
        tile(
            view,
            "col.forecast_rc",
            money(chosen, "forecast_rc"),
            said_by,
            words.code(view.filters.method),
        ),
        tile(
            view,
            "forecast.interval",
            words("forecast.between", low=money(chosen, "p10_rc"), high=money(chosen, "p90_rc"))
            if chosen.get("p10_rc") is not None
            else words("forecast.no_interval"),
            said_by if chosen.get("p10_rc") is not None else None,
        ),
        tile(
            view,
            "col.target_mismatch_rc",
            money(own, "target_mismatch_rc"),
            view.href("/deals", set="quotas", **ANY_PIPELINE),
            note=words("forecast.mismatch_note"),
        ),
    ]
    pictures: dict[str, Any] = dict.fromkeys(("methods", "accuracy", "categories"))
    if methods:
        pictures["methods"] = intervals(methods, words, view.currency, own.get("quota_rc"))
    if accuracy:
        pictures["accuracy"] = lines(
            [row["period_key"] for row in accuracy],
            [
                (words("forecast.said"), [row["forecast_rc"] for row in accuracy], BLUE, "solid"),
                (words("col.actual_rc"), [row["actual_rc"] for row in accuracy], AMBER, "dash"),
            ],
            words,
            view.currency,
        )
    if categories:
        pictures["categories"] = bars(
            [words.code(row["category"]) for row in categories],
            [row["amount_rc"] for row in categories],
            words,
            currency=view.currency,
        )
    return [
        tiles(heads),
        html.Div(
            [
                panel(
                    view,
                    METHODS,
                    pictures["methods"],
                    rows=methods,
                    missing="empty.forecast",
                    note=words("forecast.methods_note"),
                ),
                panel(
                    view,
                    ACCURACY,
                    pictures["accuracy"],
                    rows=accuracy,
                    note=words("forecast.accuracy_note"),
                ),
                panel(view, TREE, rows=tree, is_wide=True, missing="empty.quota"),
                panel(view, CATEGORIES, pictures["categories"], rows=categories, is_wide=True),
            ],
            className="panels",
        ),
    ]
