"""The deals or records behind a number, as a list that the server sorts and pages."""

from typing import Any
from urllib.parse import urlencode

import dash_ag_grid as dag
from dash import html

from dashboard.deal_sets import LISTS, SETS, columns
from dashboard.i18n import shortened
from dashboard.parts import NUMERIC, empty, tile, tiles
from dashboard.still import still
from dashboard.view import View

BLOCK = 50
_WIDTHS = {"money": 150, "amount": 150, "count": 90, "code": 90, "day": 140}
"""Pixels that a column of a kind needs at least."""


def grid(view: View, name: str) -> html.Section:
    """The list; rows come block by block as one scrolls."""
    words = view.words
    heads = [
        {
            "field": column,
            "headerName": words(f"col.{column}"),
            "sortable": True,
            "minWidth": _WIDTHS.get(kind, 120) if column != "name" else 220,
            "flex": 3 if column == "name" else 1,
            "type": "rightAligned" if kind in NUMERIC else None,
            **({"cellRenderer": "DealLink", "pinned": None} if column == "name" else {}),
        }
        for column, kind in columns(name).items()
    ]
    extra = {**view.filters.extra, "set": name}
    address = "&".join(part for part in (view.filters.query(), urlencode(extra)) if part)
    return html.Section(
        [
            still(
                html.Header(
                    [
                        html.H2(words(f"set.{name}", a=words.code(extra.get("a")))),
                        html.Div(
                            [
                                html.A(
                                    kind.upper(),
                                    href=f"/export/deals.{kind}?{address}",
                                    className="export",
                                    title=words("export_as", kind=kind.upper()),
                                )
                                for kind in ("csv", "xlsx")
                            ],
                            className="exports",
                        ),
                    ],
                    className="panel-head",
                )
            ),
            dag.AgGrid(
                id={"type": "deals", "index": address},
                columnDefs=heads,
                rowModelType="infinite",
                defaultColDef={
                    "resizable": True,
                    "suppressMovable": True,
                    "wrapHeaderText": True,
                    "autoHeaderHeight": True,
                },
                dashGridOptions={
                    "cacheBlockSize": BLOCK,
                    "maxBlocksInCache": 4,
                    "infiniteInitialRowCount": 1,
                    "suppressCellFocus": False,
                    "ensureDomOrder": True,
                },
                className="ag-theme-quartz deals",
                style={"height": "560px"},
            ),
        ],
        className="panel wide",
    )


def shown_row(view: View, name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row as the list shows it: text only, formatted here; the way to its deal if it has one."""
    key = row["deal_key"]
    return {
        "key": key,
        "href": view.href("/deal", key=key) if key else None,
        **{
            column: shortened(view.text(kind, row[column], row), 120)
            for column, kind in columns(name).items()
        },
    }


def build(view: View) -> list[Any]:
    """The page."""
    name = view.filters.extra.get("set", "all")
    if name not in LISTS:
        return [still(empty(view, "empty.set"))]
    extra = view.filters.extra
    found = view.total(name, **{one: extra.get(one) for one in "abc"})
    words = view.words
    counted = "deals.count" if name in SETS else "deals.records"
    return [
        tiles(
            [
                tile(view, counted, words.count(found["n"])),
                tile(view, "deals.value", words.money(found["value_rc"], view.currency)),
            ]
        ),
        grid(view, name) if found["n"] else still(empty(view)),
    ]
