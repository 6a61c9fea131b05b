"""People: how each seller does, how active they are, how fast they answer."""

from typing import Any

from dash import html

from dashboard.figures import bars
from dashboard.parts import panel
from dashboard.view import Column, Data, View

_OF = """
from mart_rep_performance
where period_key = $period and ($team is null or team_key = $team)
    and ($user is null or user_key = $user)
"""
REPS = Data(
    "reps",
    f"""
select coalesce(name, subject_key) as name, subject_key, team_key, tenure_band, quota_rc, won_rc,
    gap_rc, attainment, attainment_rank, open_pipeline_rc, created_n, won_n, lost_n,
    win_rate_count, median_cycle_days, pushes_per_won, share_of_pipeline_with_signals
{_OF} order by attainment desc nulls last, subject_key
""",
    [
        Column("name"),
        Column("team_key"),
        Column("tenure_band", "code"),
        Column("quota_rc", "money"),
        Column(
            "won_rc", "money", lambda row: {"set": "won", "scope": f"user:{row['subject_key']}"}
        ),
        Column("gap_rc", "money"),
        Column("attainment", "share"),
        Column(
            "open_pipeline_rc",
            "money",
            lambda row: {"set": "due", "scope": f"user:{row['subject_key']}"},
        ),
        Column("won_n", "count"),
        Column("lost_n", "count"),
        Column("win_rate_count", "share"),
        Column("median_cycle_days", "number"),
        Column("share_of_pipeline_with_signals", "share"),
    ],
)
ACTIVITY = Data(
    "activity",
    f"""
select coalesce(name, subject_key) as name, n_activities, n_meetings, n_calls, created_n
{_OF} order by n_activities desc nulls last, subject_key
""",
    [
        Column("name"),
        *(Column(one, "count") for one in ("n_activities", "n_meetings", "n_calls", "created_n")),
    ],
)
RESPONSE = Data(
    "response",
    f"""
select coalesce(name, subject_key) as name, median_response_hours, n_answered
{_OF} and n_answered > 0 order by median_response_hours nulls last, subject_key
""",
    [Column("name"), Column("median_response_hours", "number"), Column("n_answered", "count")],
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
