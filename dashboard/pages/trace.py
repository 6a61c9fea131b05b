"""Trace: the landed versions behind a deal."""

from typing import Any

from dash import html

from connectors.base.errors import PipeledgerError
from dashboard.i18n import plain, shortened
from dashboard.parts import deal_link, empty
from dashboard.still import still
from dashboard.view import Data, View
from pipeledger.trace import trace

DATASETS: tuple[Data, ...] = ()
_SHOWN = 20


def _version(view: View, one: dict[str, Any]) -> html.Li:
    words = view.words
    fields = [
        html.Div([html.Dt(shortened(name, 60)), html.Dd(shortened(value, 300))])
        for name, value in one["fields"].items()
    ]
    used = words("trace.used") if one["is_used"] else words("trace.other")
    return html.Li(
        [
            html.P(
                [
                    html.Strong(used),
                    " ",
                    html.Time(words("trace.seen", at=words.instant(one["observed_at"]))),
                    " · ",
                    html.Time(words("trace.changed", at=words.instant(one["source_updated_at"]))),
                    " · ",
                    html.Code(f"{one['change']} {one['sync_id']} {one['payload_hash']}"),
                ],
                className="note",
            ),
            html.Dl(fields, className="facts"),
        ]
    )


def _step(view: View, step: dict[str, Any]) -> html.Section:
    title = f"{step['source']} · {step['stream']} · {step['record_id']}"
    versions = [_version(view, one) for one in step["versions"][-_SHOWN:]]
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
    # A deal and its versions come from the same landed record.
    steps = {(one["connection"], one["stream"], one["record_id"]): one for one in found["versions"]}
    return [still(back, *(_step(view, step) for step in steps.values()))]
