"""Pipeline: open deals by stage as cards, page by page, or as a list."""

from typing import Any

from dash import dcc, html

from dashboard.deal_sets import chosen, listing
from dashboard.filters import page_of
from dashboard.i18n import shortened
from dashboard.pages.deals import grid
from dashboard.parts import deal_link, empty, exports
from dashboard.still import hyphened, still
from dashboard.view import Column, Data, View, to

CARDS = 8


def _stages(*, is_past: bool) -> str:
    return f"""
select s.pipeline_name, s.stage_name, s.stage_key, count(d.deal_key) as n_deals,
    coalesce(sum(d.value_rc), 0) as amount_rc
from dim_stage as s
left join ({chosen("open", is_past=is_past)}) as d on s.stage_key = d.stage_key
where s.is_current and not s.is_deleted and s.stage_type = 'open'
    and ($pipeline is null or s.pipeline_key = $pipeline)
group by s.pipeline_name, s.stage_name, s.stage_key
order by s.pipeline_name, min(s.stage_order), s.stage_key
"""


STAGES = Data(
    "stages",
    _stages(is_past=False),
    [
        Column("pipeline_name"),
        Column("stage_name"),
        Column("n_deals", "count", to("stage", a="stage_key")),
        Column("amount_rc", "money", to("stage", a="stage_key")),
    ],
    of_a_day=_stages(is_past=True),
)
DATASETS = (STAGES,)


def _card(view: View, row: dict[str, Any]) -> html.Li:
    words = view.words
    score = row["health_score"]
    mood = "none" if score is None else "good" if score >= 80 else "fair" if score >= 60 else "poor"
    health = words("pipeline.health", score=words.count(score), mood=words(f"mood.{mood}"))
    return html.Li(
        [
            html.Div(deal_link(view, row["deal_key"], row["name"]), className="card-name"),
            html.Div(words.money(row["amount"], row["currency_code"]), className="card-amount"),
            html.Div(shortened(row["owner_name"] or words("nobody"), 40), className="card-owner"),
            html.Div(
                [
                    html.Span(health, className=f"health health-{mood}"),
                    html.Span(
                        words(
                            "pipeline.age",
                            n=words.count(
                                None if row["days_in_stage"] is None else int(row["days_in_stage"])
                            ),
                        )
                    ),
                ],
                className="card-foot",
            ),
        ],
        className="card",
    )


def _column(view: View, stage: dict[str, Any]) -> html.Section:
    words = view.words
    is_paged = view.filters.extra.get("stage") == stage["stage_key"]
    page = page_of(view.filters) if is_paged else 1
    last = max(1, -(-stage["n_deals"] // CARDS))
    page = min(page, last)
    rows = view.reader.rows(
        f"{listing('stage', is_past=view.is_past)} limit {CARDS} offset {(page - 1) * CARDS}",
        {**view.parameters, "a": stage["stage_key"]},
    )
    turns = []
    for text, wanted, is_there in (("‹", page - 1, page > 1), ("›", page + 1, page < last)):
        if is_there:
            address = view.href("/pipeline", stage=stage["stage_key"], page=str(wanted))
            turns.append(
                dcc.Link(
                    text,
                    href=address,
                    className="turn",
                    title=words("page_n", n=words.count(wanted)),
                )
            )
    position = words("page_of", page=words.count(page), last=words.count(last))
    return html.Section(
        [
            html.Header(
                [
                    html.H3(shortened(stage["stage_name"], 40)),
                    html.Div(
                        [
                            dcc.Link(
                                words.money(stage["amount_rc"], view.currency),
                                href=view.href("/deals", set="stage", a=stage["stage_key"]),
                            ),
                            dcc.Link(
                                words("n_deals", n=words.count(stage["n_deals"])),
                                href=view.href("/deals", set="stage", a=stage["stage_key"]),
                            ),
                        ],
                        className="lane-sum",
                    ),
                ]
            ),
            html.Ul([_card(view, row) for row in rows], className="cards")
            if rows
            else html.P(words("empty.stage"), className="note"),
            html.Footer([html.Span(position), *turns]) if last > 1 else None,
        ],
        className="lane",
    )


def build(view: View) -> list[Any]:
    """The page."""
    words = view.words
    is_list = view.filters.extra.get("view") == "list"
    switch = html.Nav(
        [
            dcc.Link(
                words("pipeline.board"),
                href=view.href("/pipeline"),
                className="" if is_list else "chosen",
            ),
            dcc.Link(
                words("pipeline.list"),
                href=view.href("/pipeline", view="list"),
                className="chosen" if is_list else "",
            ),
            exports(view, STAGES),
        ],
        className="switch",
        **hyphened(aria_label=words("pipeline.views")),
    )
    if is_list:
        return [still(switch), grid(view, "open")]
    stages = view.rows(STAGES)
    if not stages:
        return [still(switch, empty(view))]
    boards: dict[str, list[Any]] = {}
    for stage in stages:
        boards.setdefault(stage["pipeline_name"], []).append(_column(view, stage))
    shown: list[Any] = [switch]
    for name, lanes in boards.items():
        title = shortened(name, 60)
        shown.append(html.H2(title, className="board-name"))
        shown.append(
            html.Div(
                lanes, className="board", tabIndex=0, role="region", **hyphened(aria_label=title)
            )
        )
    return [still(shown)]
