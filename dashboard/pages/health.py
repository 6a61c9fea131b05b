"""Data health: how fresh the sources are, what the checks found, and since when."""

from typing import Any

from dash import html

from dashboard.figures import AMBER, lines
from dashboard.parts import panel, tile, tiles
from dashboard.view import Column, Data, View, to

SOURCES = Data(
    "sources",
    """
select source_system, connection, stream, state, last_complete_at, lag_hours, rows_seen_n,
    new_versions_n, removed_n, quarantined_n, schema_drift, is_stale, error
from mart_source_health where is_newest
order by is_stale desc, source_system, connection, stream
""",
    [
        Column("source_system"),
        Column("connection"),
        Column("stream"),
        Column("state", "mark"),
        Column("is_stale", "flag"),
        Column("last_complete_at", "instant"),
        Column("lag_hours", "number"),
        Column("rows_seen_n", "count"),
        Column("new_versions_n", "count"),
        Column("removed_n", "count"),
        Column("quarantined_n", "count"),
        Column("schema_drift"),
    ],
)
FAILING = Data(
    "failing",
    """
select check_id, check_name, severity, n_checked, n_failing, n_new, failing_share, first_failed_at
from mart_data_health
where as_of_date = (select max(as_of_date) from mart_data_health)
order by case severity when 'error' then 0 else 1 end, n_failing desc, check_id
""",
    [
        Column("check_id"),
        Column("check_name"),
        Column("severity", "mark"),
        Column("n_checked", "count"),
        Column("n_failing", "count", to("failing", a="check_id")),
        Column("n_new", "count", to("failing", a="check_id")),
        Column("failing_share", "share", to("failing", a="check_id")),
        Column("first_failed_at", "instant"),
    ],
)
FLAGS = Data(
    "flags",
    """
with found as (
    select cast(first_failed_at as date) as day, severity, count(*) as n from fct_check_result
    where resolved_at is null group by cast(first_failed_at as date), severity
)

select cast(date_trunc('month', day) as date) as month, severity,
    cast(sum(n) as bigint) as n_records
from found
group by cast(date_trunc('month', day) as date), severity order by month, severity
""",
    [
        Column("month", "day"),
        Column("severity", "mark"),
        Column("n_records", "count", to("failing", b="severity", c="month")),
    ],
)
DATASETS = (SOURCES, FAILING, FLAGS)


def build(view: View) -> list[Any]:
    """The page."""
    words = view.words
    sources, failing, flags = (view.rows(data) for data in DATASETS)
    scores = view.reader.rows(
        "select day_score from mart_data_health order by as_of_date desc limit 1"
    )
    stale = sum(1 for row in sources if row["is_stale"])
    bad = sum(1 for row in failing if row["severity"] == "error" and row["n_failing"])
    heads = [
        tile(
            view,
            "health.score",
            words.share(float(scores[0]["day_score"]))
            if scores and scores[0]["day_score"] is not None
            else words.share(None),
        ),
        tile(
            view,
            "health.streams",
            words.count(len(sources)),
            note=words("health.stale_note", n=words.count(stale)),
        ),
        tile(view, "health.errors", words.count(bad)),
        tile(view, "health.build_at", words.instant(view.build["as_of"])),
    ]
    picture = None
    if flags:
        months = sorted({row["month"] for row in flags})
        by = {(row["month"], row["severity"]): row["n_records"] for row in flags}
        picture = lines(
            [words.day(month) for month in months],
            [
                (
                    words.code(severity),
                    [by.get((month, severity), 0) for month in months],
                    colour,
                    dash,
                )
                for severity, colour, dash in (
                    ("warn", AMBER, "solid"),
                    ("error", "#c94f4f", "dash"),
                )
            ],
            words,
        )
    return [
        tiles(heads),
        html.Div(
            [
                panel(view, SOURCES, rows=sources, is_wide=True, missing="empty.narrowed"),
                panel(view, FAILING, rows=failing, is_wide=True, missing="empty.narrowed"),
                panel(
                    view, FLAGS, picture, rows=flags, is_wide=True, note=words("health.flags_note")
                ),
            ],
            className="panels",
        ),
    ]
