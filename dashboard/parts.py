"""The building blocks of a page: tiles, panels, tables, states."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from dashboard.i18n import NOTHING, shortened
from dashboard.still import hyphened, still
from dashboard.view import Column, Data, View

NUMERIC = frozenset({"money", "amount", "count", "number", "share"})
_UNBROKEN = frozenset({"day", "instant", "key"})
SHOWN = 40
"""Rows of a table on a page; the export has all."""


def tile(view: View, key: str, shown: str, href: str | None = None, note: str = "") -> html.Div:
    """A headline number; with an address it leads to its deals."""
    look = "tile-number" if len(shown) < 22 else "tile-number tile-range"
    number: Any = html.Span(shown, className=look)
    if href and shown != NOTHING:
        number = dcc.Link(shown, href=href, className=look, title=view.words("to_deals"))
    return html.Div(
        [
            html.Div(view.words(key), className="tile-name"),
            number,
            html.Div(note, className="tile-note"),
        ],
        className="tile",
    )


def tiles(children: Sequence[Any]) -> html.Div:
    """Headline numbers side by side."""
    return still(html.Div(list(children), className="tiles"))


def empty(view: View, key: str = "empty.rows") -> html.Div:
    """Why there is nothing to see, and what to do."""
    return html.Div(
        [
            html.Div("∅", className="empty-sign", **hyphened(aria_hidden="true")),
            html.P(view.words(key)),
        ],
        className="empty",
    )


def deal_link(view: View, key: Any, name: Any) -> dcc.Link:
    """A deal's name, which leads to its page."""
    return dcc.Link(shortened(name or key, 70), href=view.href("/deal", key=str(key)))


def cell(view: View, column: Column, row: Mapping[str, Any]) -> html.Td:
    """One value of a table."""
    value = row[column.name]
    shown: Any = view.text(column.kind, value, row)
    if column.kind == "deal" and value is not None:
        shown = deal_link(view, row["deal_key"], value)
    elif column.kind == "mark" and value is not None:
        # What a check would be, were anything wrong, is no alarm.
        look = "mark" if row.get("n_failing") == 0 else f"mark mark-{value}"
        return html.Td(html.Span(view.words.code(value), className=look))
    elif (
        column.drill is not None
        and value is not None
        and not (column.kind == "count" and not value)
    ):
        shown = dcc.Link(shown, href=view.href("/deals", **column.drill(row)))
    elif column.kind not in NUMERIC:
        shown = shortened(shown, 120)
    look = "num" if column.kind in NUMERIC else "unbroken" if column.kind in _UNBROKEN else ""
    if column.kind == "scope":
        look = f"scope-{row['scope_type']}"
    return html.Td(shown, className=look)


def table(view: View, data: Data, rows: Sequence[Mapping[str, Any]]) -> html.Div:
    """The rows as a table that a screen reader and a keyboard can walk."""
    head = [
        html.Th(
            view.words(f"col.{column.name}"),
            scope="col",
            className="num" if column.kind in NUMERIC else "",
        )
        for column in data.columns
    ]
    body = [html.Tr([cell(view, column, row) for column in data.columns]) for row in rows[:SHOWN]]
    more = []
    if len(rows) > SHOWN:
        more = [
            html.P(
                view.words("more_in_export", n=view.words.count(len(rows) - SHOWN)),
                className="note",
            )
        ]
    return html.Div(
        [
            html.Div(
                html.Table([html.Thead(html.Tr(head)), html.Tbody(body)]),
                className="scroll",
                tabIndex=0,
                role="region",
                **hyphened(aria_label=view.words(f"data.{data.name}")),
            ),
            *more,
        ]
    )


def exports(view: View, data: Data) -> html.Div:
    """Links to the same rows as a file."""
    extra = dict(view.filters.extra)
    return html.Div(
        [
            html.A(
                kind.upper(),
                href=view.href(f"/export/{data.name}.{kind}", **extra),
                className="export",
                title=view.words("export_as", kind=kind.upper()),
            )
            for kind in ("csv", "xlsx")
        ],
        className="exports",
    )


def panel(
    view: View,
    data: Data,
    picture: Any = None,
    *,
    rows: Sequence[Mapping[str, Any]] | None = None,
    note: str = "",
    is_wide: bool = False,
    missing: str = "empty.rows",
) -> html.Section:
    """A picture with its table and export; the table alone if there is no picture."""
    found = view.rows(data) if rows is None else rows
    title = view.words(f"data.{data.name}")
    above: list[Any] = [html.Header([html.H2(title), exports(view, data)], className="panel-head")]
    if note:
        above.append(html.P(note, className="note"))
    parts: list[Any]
    if not found:
        parts = [still(*above, empty(view, missing))]
    elif picture is None:
        parts = [still(*above, table(view, data, found))]
    else:
        below = html.Details([html.Summary(view.words("as_table")), table(view, data, found)])
        figure = html.Figure(picture, **hyphened(aria_label=title))
        parts = [still(*above), figure, still(below)]
    return html.Section(parts, className="panel wide" if is_wide else "panel", id=data.name)


def facts(view: View, pairs: Sequence[tuple[str, str]]) -> html.Dl:
    """Names and values in two columns."""
    return html.Dl(
        [html.Div([html.Dt(view.words(f"col.{key}")), html.Dd(value)]) for key, value in pairs],
        className="facts",
    )
