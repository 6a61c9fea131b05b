"""Trace: the landed versions behind a deal."""

import json
from typing import Any

from dash import html

from connectors.base.errors import PipeledgerError
from dashboard.i18n import plain, shortened
from dashboard.parts import deal_link, empty
from dashboard.still import still
from dashboard.view import Data, View
from pipeledger.trace import trace

DATASETS: tuple[Data, ...] = ()


def _step(view: View, step: dict[str, Any]) -> html.Section:
    words = view.words
    versions = [
        html.Li(
            [
                html.Time(words.instant(one["observed_at"])),
                html.Code(shortened(json.dumps(one, default=str, ensure_ascii=False), 1500)),
            ]
        )
        for one in step["versions"][-20:]
    ]
    title = f"{step['source']} · {step['stream']} · {step['record_id']}"
    return html.Section(
        [html.H2(shortened(title, 100)), html.Ol(versions, className="versions")],
        className="panel wide",
    )


def build(view: View) -> list[Any]:
    """The page; a deal that the viewer may not see is no deal."""
    key = view.filters.extra.get("key", "")
    seen = view.reader.rows("select name from fct_deal where deal_key = $key", view.parameters)
    if not seen:
        return [still(empty(view, "empty.deal"))]
    try:
        found = trace(view.settings, "fct_deal", key)
    except PipeledgerError:
        return [still(empty(view, "empty.trace"))]
    back = html.P([deal_link(view, key, seen[0]["name"]), " ", html.Code(plain(key))])
    return [still(back, *(_step(view, step) for step in found["versions"]))]
