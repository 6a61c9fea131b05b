"""People: how each seller does, how active they are, how fast they answer."""

from collections.abc import Mapping
from typing import Any

from dash import html

from dashboard.figures import bars
from dashboard.parts import panel
from dashboard.view import ANY_PIPELINE, Column, Data, Drill, View

_OF = """
from mart_rep_performance
where period_key = $period and measure = 'bookings' and ($team is null or team_key = $team)
    and ($user is null or user_key = $user)
"""


def _own(name: str, fixed: Mapping[str, str]) -> Drill:
    """The way to a list of the row's own seller, or team where sellers are not told."""

    def way(row: Mapping[str, Any]) -> dict[str, str]:
        kind = row["subject_type"]
        return {"set": name, **fixed, **ANY_PIPELINE, "scope": f"{kind}:{row['subject_key']}"}

    return way


REPS = Data(
    "reps",
    f"""
select coalesce(name, subject_key) as name, subject_type, subject_key, team_key, tenure_band,
    quota_rc, won_rc, gap_rc, attainment, attainment_rank, open_pipeline_rc, created_n, won_n,
    lost_n, win_rate_count, median_cycle_days, pushes_per_won, share_of_pipeline_with_signals
{_OF} order by attainment desc nulls last, subject_key
""",
    [
        Column("name"),
        Column("team_key"),
        Column("tenure_band", "code"),
        *(
            Column(name, kind, _own(leads, fixed))
            for name, kind, leads, fixed in (
                ("quota_rc", "money", "quotas", {}),
                ("won_rc", "money", "won", {}),
                ("gap_rc", "money", "won", {}),
                ("attainment", "share", "won", {}),
                ("open_pipeline_rc", "money", "due", {}),
                ("won_n", "count", "decided", {"a": "won"}),
                ("lost_n", "count", "decided", {"a": "lost"}),
                ("win_rate_count", "share", "decided", {}),
                ("median_cycle_days", "number", "decided", {"a": "won"}),
                ("share_of_pipeline_with_signals", "share", "signals", {}),
            )
        ),
    ],
)
ACTIVITY = Data(
    "activity",
    f"""
select coalesce(name, subject_key) as name, subject_type, subject_key, n_activities, n_meetings,
    n_calls, created_n
{_OF} order by n_activities desc nulls last, subject_key
""",
    [
        Column("name"),
        Column("n_activities", "count", _own("activities", {})),
        Column("n_meetings", "count", _own("activities", {"a": "meeting"})),
        Column("n_calls", "count", _own("activities", {"a": "call"})),
        Column("created_n", "count", _own("created", {})),
    ],
)
RESPONSE = Data(
    "response",
    f"""
select coalesce(name, subject_key) as name, subject_type, subject_key, median_response_hours,
    n_answered
{_OF} and n_answered > 0 order by median_response_hours nulls last, subject_key
""",
    [
        Column("name"),
        Column("median_response_hours", "number", _own("answers", {})),
        Column("n_answered", "count", _own("answers", {})),
    ],
)
DATASETS = (REPS, ACTIVITY, RESPONSE)
_DRAWN = 15


def build(view: View) -> list[Any]:
    """The page."""
    words = view.words
    reps, activity, response = (view.rows(data) for data in DATASETS)

    def picture(rows: list[dict[str, Any]], value: str) -> Any:
        known = [row for row in rows if row[value] is not None][:_DRAWN]
        if not known:
            return None
        return bars(
            [row["name"] for row in known],
            [row[value] for row in known],
            words,
        )

    return [
        html.Div(
            [
                panel(
                    view,
                    REPS,
                    rows=reps,
                    is_wide=True,
                    note=words("people.note"),
                    missing="empty.people",
                ),
                panel(
                    view,
                    ACTIVITY,
                    picture(activity, "n_activities"),
                    rows=activity,
                    missing="empty.people",
                ),
                panel(
                    view,
                    RESPONSE,
                    picture(response, "median_response_hours"),
                    rows=response,
                    missing="empty.people",
                    note=words("people.hours_note"),
                ),
            ],
            className="panels",
        )
    ]
