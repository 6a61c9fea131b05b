"""Pictures as Plotly reads them: geometry in numbers, every text written by us.

Colours of text and grid come from the style sheet, which knows light from dark.
"""

import html
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dash import dcc

from dashboard.i18n import Words, shortened

BLUE, GREEN, RED, AMBER, GREY = "#3b6fd4", "#2e8b64", "#c94f4f", "#b7791f", "#7b8794"
Number = Decimal | float | int | None


def _ticks(values: Sequence[Number], words: Words, currency: str | None) -> dict[str, Any]:
    """A few round positions from the least to the greatest value, 0 included."""
    known = [float(value) for value in values if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    step = (high - low) / 4 or 1.0
    size = 10.0 ** (len(str(int(step))) - 1)
    step = max(1.0, round(step / size)) * size
    at = [step * place for place in range(int(low // step), int(high // step) + 2)]
    text = [words.short_money(one, currency) if currency else words.number(one) for one in at]
    return {"tickvals": at, "ticktext": text}


def _label(text: str, longest: int) -> str:
    """A name as Plotly shows it: it would take some tags in it for markup."""
    return html.escape(shortened(text, longest), quote=False)


def _with_room(values: Sequence[Number]) -> list[float]:
    """From the least to the greatest value, with room for the texts beside the bars."""
    known = [float(value) for value in values if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    room = 0.2 * ((high - low) or 1.0)
    return [low - 1.8 * room if low < 0 else 0.0, high + room]


def graph(traces: list[dict[str, Any]], **layout: Any) -> dcc.Graph:
    """A picture that fills its panel."""
    base = {
        "margin": {"l": 8, "r": 16, "t": 12, "b": 8},
        "height": 300,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "inherit", "size": 12, "color": GREY},
        "showlegend": False,
        "hoverlabel": {"align": "left"},
        "bargap": 0.35,
        "dragmode": False,
        "xaxis": {"automargin": True, "fixedrange": True, "zeroline": False},
        "yaxis": {"automargin": True, "fixedrange": True, "zeroline": True},
    }
    for name, value in layout.items():
        known = base.get(name)
        base[name] = known | value if isinstance(known, dict) else value
    return dcc.Graph(
        figure={"data": traces, "layout": base},
        config={"displayModeBar": False, "responsive": True, "displaylogo": False},
        className="picture",
        responsive=True,
        style={"height": f"{base['height']}px"},
    )


def bars(
    labels: Sequence[str],
    values: Sequence[Number],
    words: Words,
    *,
    currency: str | None = None,
    colours: Sequence[str] | str = BLUE,
) -> dcc.Graph:
    """Lying bars, each with its value written beside it."""
    names = [_label(one, 28) for one in labels]
    texts = [
        words.short_money(value, currency) if currency else words.number(value) for value in values
    ]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [None if value is None else float(value) for value in values],
        "y": list(range(len(names))),
        "text": texts,
        "textposition": "outside",
        "marker": {"color": colours if isinstance(colours, str) else list(colours)},
        "hovertext": [f"{name}: {text}" for name, text in zip(names, texts, strict=True)],
        "hoverinfo": "text",
        "cliponaxis": False,
    }
    return graph(
        [trace],
        height=max(180, 34 * len(names) + 50),
        xaxis={**_ticks(values, words, currency), "range": _with_room(values)},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "autorange": "reversed",
        },
    )


def waterfall(
    labels: Sequence[str],
    values: Sequence[Number],
    totals: Sequence[bool],
    words: Words,
    currency: str,
) -> dcc.Graph:
    """From a start by its movements to an end; a sign stands before each movement."""
    texts = []
    for value, is_total in zip(values, totals, strict=True):
        text = words.short_money(value, currency)
        texts.append(f"+{text}" if not is_total and value is not None and value > 0 else text)
    trace = {
        "type": "waterfall",
        "x": [_label(one, 18) for one in labels],
        "y": [float(value or 0) for value in values],
        "measure": [
            "relative" if not one else "total" if place else "absolute"
            for place, one in enumerate(totals)
        ],
        "text": texts,
        "textposition": "outside",
        "hoverinfo": "x+text",
        "increasing": {"marker": {"color": GREEN}},
        "decreasing": {"marker": {"color": RED}},
        "totals": {"marker": {"color": BLUE}},
        "connector": {"line": {"color": GREY, "width": 1}},
        "cliponaxis": False,
    }
    running, seen = 0.0, [0.0]
    for value, is_total in zip(values, totals, strict=True):
        running = float(value or 0) if is_total else running + float(value or 0)
        seen.append(running)
    ticks = _ticks(seen, words, currency)
    return graph(
        [trace],
        height=340,
        xaxis={"tickangle": -30},
        yaxis={**ticks, "range": [min(ticks["tickvals"]), max(ticks["tickvals"])]},
        margin={"t": 28},
        # On a phone what does not fit is left out, not written too small to read.
        uniformtext={"mode": "hide", "minsize": 9},
    )


def lines(
    x: Sequence[str],
    series: Sequence[tuple[str, Sequence[Number], str, str]],
    words: Words,
    currency: str | None = None,
) -> dcc.Graph:
    """Lines over periods: name, values, colour and dash of each; names stand in the legend."""
    every = [value for _, values, _, _ in series for value in values]
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": list(x),
            "y": [None if value is None else float(value) for value in values],
            "text": [
                f"{name}: {words.short_money(one, currency) if currency else words.number(one)}"
                for one in values
            ],
            "hoverinfo": "x+text",
            "line": {"color": colour, "dash": dash, "width": 2},
            "marker": {"size": 6, "symbol": "circle" if dash == "solid" else "diamond"},
        }
        for name, values, colour, dash in series
    ]
    return graph(
        traces,
        yaxis={**_ticks(every, words, currency), "rangemode": "tozero"},
        xaxis={"type": "category"},
        showlegend=True,
        legend={"orientation": "h", "y": 1.15, "x": 0},
    )


def intervals(
    rows: Sequence[dict[str, Any]], words: Words, currency: str, quota: Number
) -> dcc.Graph:
    """What each method says, and between which two amounts four of five outcomes fall."""
    names = [words.code(row["method"]) for row in rows]
    places = list(range(len(rows)))
    known = [(place, row) for place, row in enumerate(rows) if row["p10_rc"] is not None]
    band: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "y": [place for place, _ in known],
        "base": [float(row["p10_rc"]) for _, row in known],
        "x": [float(row["p90_rc"] - row["p10_rc"]) for _, row in known],
        "marker": {"color": BLUE, "opacity": 0.3},
        "width": 0.45,
        "hoverinfo": "skip",
        "name": words("forecast.interval"),
    }
    point = {
        "type": "scatter",
        "mode": "markers",
        "y": places,
        "x": [None if row["forecast_rc"] is None else float(row["forecast_rc"]) for row in rows],
        "marker": {"color": BLUE, "size": 11, "symbol": "diamond"},
        "text": [words.money(row["forecast_rc"], currency) for row in rows],
        "hoverinfo": "text",
        "name": words("forecast.said"),
    }
    values = [row[name] for row in rows for name in ("forecast_rc", "p10_rc", "p90_rc")]
    shapes = []
    if quota is not None:
        values.append(quota)
        shapes.append(
            {
                "type": "line",
                "x0": float(quota),
                "x1": float(quota),
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": AMBER, "width": 2, "dash": "dash"},
            }
        )
    return graph(
        [band, point],
        height=34 * len(rows) + 90,
        xaxis=_ticks(values, words, currency),
        yaxis={"tickvals": places, "ticktext": names, "autorange": "reversed"},
        shapes=shapes,
        showlegend=True,
        legend={"orientation": "h", "y": 1.12, "x": 0},
    )
