"""Funnel: how far cohorts got, what flowed through stages, how leads became cash."""

from typing import Any

from dash import dcc, html

from dashboard.figures import AMBER, bars, lines
from dashboard.parts import panel
from dashboard.still import hyphened, still
from dashboard.view import ANY_SCOPE, WHOLE_COMPANY, Column, Data, View, to

RULES = ("reached", "touched", "strict")

_PIPELINE = "($pipeline is null or pipeline_key = $pipeline)"
COHORT = Data(
    "cohort",
    f"""
select cohort.pipeline_key, cohort.cohort_period_key, pipeline.pipeline_name, cohort.stage_name,
    cohort.stage_order, cohort.n_in,
    cohort.n_reached, cohort.n_immature, cohort.conversion_from_previous,
    cohort.conversion_from_base, cohort.median_days_from_base, cohort.value_reached_rc
from mart_funnel_cohort as cohort
inner join dim_pipeline as pipeline
    on cohort.pipeline_key = pipeline.pipeline_key and pipeline.is_current
where cohort.basis = 'pipeline_entry' and cohort.segment_type = 'all' and cohort.method = $rule
    and {_PIPELINE.replace("pipeline_key =", "cohort.pipeline_key =")}
    and cohort.cohort_period_key = (
        select max(cohort_period_key) from mart_funnel_cohort
        where basis = 'pipeline_entry' and segment_type = 'all'
            and n_in > 0 and cohort_period_key <= $period)
order by pipeline.pipeline_name, cohort.stage_order
""",
    [
        Column("pipeline_name"),
        Column("stage_name"),
        *(
            Column(
                name,
                kind,
                to("cohort", WHOLE_COMPANY, a="pipeline_key", period="cohort_period_key"),
            )
            for name, kind in (
                ("n_in", "count"),
                ("n_reached", "count"),
                ("conversion_from_previous", "share"),
                ("conversion_from_base", "share"),
                ("median_days_from_base", "number"),
                ("n_immature", "count"),
                ("value_reached_rc", "money"),
            )
        ),
    ],
)
FLOW = Data(
    "flow",
    f"""
select (select pipeline_name from dim_pipeline as p where p.pipeline_key = flow.pipeline_key
    and p.is_current) as pipeline_name,
    stage_name, open_at_start_n, entered_forward_n, entered_backward_n, entered_reopened_n,
    entered_other_pipeline_n, exited_forward_n, exited_won_n, exited_lost_n, exited_backward_n,
    exited_other_n, open_at_end_n, forward_rate, loss_rate, stage_key
from mart_funnel_flow as flow
where period_key = $period and {_PIPELINE}
order by pipeline_key, stage_order
""",
    [
        Column("pipeline_name"),
        Column("stage_name"),
        *(
            Column(name, "count", to("flow", {"b": name, **ANY_SCOPE}, a="stage_key"))
            for name in (
                "open_at_start_n",
                "entered_forward_n",
                "entered_backward_n",
                "entered_reopened_n",
                "entered_other_pipeline_n",
                "exited_forward_n",
                "exited_won_n",
                "exited_lost_n",
                "exited_backward_n",
                "exited_other_n",
            )
        ),
        Column(
            "open_at_end_n", "count", to("flow", {"b": "open_at_end_n", **ANY_SCOPE}, a="stage_key")
        ),
        Column("forward_rate", "share", to("flow", {"b": "exits", **ANY_SCOPE}, a="stage_key")),
        Column("loss_rate", "share", to("flow", {"b": "exits", **ANY_SCOPE}, a="stage_key")),
    ],
)
CASH = Data(
    "cash",
    """
select cohort_period_key, source_channel, leads_n, qualified_n, deals_n, quoted_n, won_n,
    invoiced_n, paid_n, paid_net_of_refund_n, n_immature, won_rc, paid_net_of_refund_rc,
    paid_net_rate
from mart_funnel_lead_to_cash
where cohort_period_key = (
    select max(cohort_period_key) from mart_funnel_lead_to_cash
    where leads_n > 0 and cohort_period_key <= $period)
order by leads_n desc, source_channel
""",
    [
        Column("cohort_period_key", "key"),
        Column("source_channel"),
        *(
            Column(
                name,
                kind,
                to(
                    "leads",
                    {**fixed, **WHOLE_COMPANY},
                    a="source_channel",
                    period="cohort_period_key",
                ),
            )
            for name, kind, fixed in (
                ("leads_n", "count", {}),
                ("qualified_n", "count", {}),
                ("deals_n", "count", {"b": "deal"}),
                ("quoted_n", "count", {"b": "deal"}),
                ("won_n", "count", {"b": "won"}),
                ("invoiced_n", "count", {"b": "won"}),
                ("paid_n", "count", {"b": "won"}),
                ("paid_net_of_refund_n", "count", {"b": "won"}),
                ("n_immature", "count", {}),
                ("won_rc", "money", {"b": "won"}),
                ("paid_net_of_refund_rc", "money", {"b": "won"}),
                ("paid_net_rate", "share", {}),
            )
        ),
    ],
)
STAGE_TIME = Data(
    "stage_time",
    f"""
select (select pipeline_name from dim_pipeline as p where p.pipeline_key = velocity.pipeline_key
    and p.is_current) as pipeline_name,
    stage_name, n_stays, median_days, p75_days, p90_days, km_median_days, n_open,
    median_open_age_days, capital_locked_rc, bottleneck_rank, stage_key
from mart_stage_velocity as velocity
where period_key = 'all' and segment_type = 'all' and outcome_group = 'all' and {_PIPELINE}
order by pipeline_key, stage_order
""",
    [
        Column("pipeline_name"),
        Column("stage_name"),
        *(
            Column(name, kind, to(leads, ANY_SCOPE, a="stage_key"))
            for name, kind, leads in (
                ("n_stays", "count", "stays"),
                ("median_days", "number", "stays"),
                ("p75_days", "number", "stays"),
                ("p90_days", "number", "stays"),
                ("km_median_days", "number", "stays"),
                ("n_open", "count", "stage"),
                ("median_open_age_days", "number", "stage"),
                ("capital_locked_rc", "money", "stage"),
                ("bottleneck_rank", "count", "stays"),
            )
        ),
    ],
)
WIN_RATE = Data(
    "win_rate",
    """
select period_key, won_n, lost_n, win_rate_count, win_rate_value, net_win_rate
from mart_win_rate
where grain = 'quarter'
    and dimension = case when $team is not null then 'team' when $user is not null then 'owner'
        when $pipeline is not null then 'pipeline' else 'all' end
    and ($team is null or member = $team) and ($user is null or member = $user)
    and ($team is not null or $user is not null or $pipeline is null or member = $pipeline)
order by period_key
""",
    [
        Column("period_key", "key"),
        Column("won_n", "count", to("decided", {"a": "won"}, period="period_key")),
        Column("lost_n", "count", to("decided", {"a": "lost"}, period="period_key")),
        *(
            Column(name, "share", to("decided", period="period_key"))
            for name in ("win_rate_count", "win_rate_value", "net_win_rate")
        ),
    ],
)
DATASETS = (COHORT, FLOW, CASH, STAGE_TIME, WIN_RATE)


def _stage(row: dict[str, Any]) -> str:
    return f"{row['stage_name']} · {row['pipeline_name']}"


def build(view: View) -> list[Any]:
    """The page."""
    words = view.words
    if view.filters.extra.get("rule") not in RULES:
        view.parameters["rule"] = "reached"
    chosen = view.parameters["rule"]
    switch = html.Nav(
        [
            dcc.Link(
                words(f"rule.{rule}"),
                href=view.href("/funnel", rule=rule),
                className="chosen" if rule == chosen else "",
            )
            for rule in RULES
        ],
        className="switch",
        **hyphened(aria_label=words("funnel.rules")),
    )
    cohort, flow, time_in, wins = (view.rows(data) for data in (COHORT, FLOW, STAGE_TIME, WIN_RATE))
    pictures: dict[str, Any] = dict.fromkeys(("cohort", "flow", "stage_time", "win_rate"))
    if cohort:
        pictures["cohort"] = bars(
            [_stage(row) for row in cohort],
            [row["n_reached"] for row in cohort],
            words,
        )
    if flow:
        pictures["flow"] = bars(
            [_stage(row) for row in flow],
            [row["open_at_end_n"] for row in flow],
            words,
        )
    if time_in:
        pictures["stage_time"] = bars(
            [_stage(row) for row in time_in],
            [row["median_days"] for row in time_in],
            words,
            colours=[AMBER if row["bottleneck_rank"] == 1 else "#3b6fd4" for row in time_in],
        )
    if wins:
        pictures["win_rate"] = lines(
            [row["period_key"] for row in wins],
            [
                (
                    words("col.win_rate_count"),
                    [
                        None if row["win_rate_count"] is None else row["win_rate_count"] * 100
                        for row in wins
                    ],
                    "#3b6fd4",
                    "solid",
                ),
                (
                    words("col.net_win_rate"),
                    [
                        None if row["net_win_rate"] is None else row["net_win_rate"] * 100
                        for row in wins
                    ],
                    AMBER,
                    "dash",
                ),
            ],
            words,
        )
    return [
        still(switch, html.P(words(f"rule_note.{chosen}"), className="note")),
        html.Div(
            [
                panel(view, COHORT, pictures["cohort"], rows=cohort),
                panel(
                    view,
                    STAGE_TIME,
                    pictures["stage_time"],
                    rows=time_in,
                    note=words("funnel.bottleneck_note"),
                ),
                panel(view, FLOW, pictures["flow"], rows=flow, note=words("funnel.flow_note")),
                panel(
                    view,
                    WIN_RATE,
                    pictures["win_rate"],
                    rows=wins,
                    note=words("funnel.percent_note"),
                ),
                panel(view, CASH, is_wide=True),
            ],
            className="panels",
        ),
    ]
