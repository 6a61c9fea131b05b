"""The static report: one file with tables and drawn pictures, no script, nothing to load."""

import html
import io
import os
import warnings
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.base.errors import ConfigError
from dashboard.access import Viewer
from dashboard.filters import LANGUAGES, Filters
from dashboard.i18n import shortened
from dashboard.pages import forecast, funnel, health, movement, overview, people, reconciliation
from dashboard.parts import NUMERIC
from dashboard.reading import open_reader
from dashboard.view import Data, View
from pipeledger.pipeline import clock_of
from pipeledger.settings import Settings

_ROWS = 30
_SECTIONS: tuple[tuple[str, tuple[tuple[Data, str, str], ...]], ...] = (
    (
        "overview",
        (
            (overview.QUOTA, "", ""),
            (movement.BRIDGE, "reason", "amount_rc"),
            (overview.CHANGED, "reason", "amount_rc"),
        ),
    ),
    (
        "funnel",
        (
            (funnel.COHORT, "stage_name", "n_reached"),
            (funnel.STAGE_TIME, "stage_name", "median_days"),
        ),
    ),
    ("forecast", ((forecast.METHODS, "method", "forecast_rc"), (forecast.TREE, "", ""))),
    (
        "reconciliation",
        (
            (reconciliation.MONTHS, "period_key", "booked_rc"),
            (reconciliation.MATRIX, "", ""),
            (reconciliation.LEAKAGE, "", ""),
            (reconciliation.AGEING, "bucket", "balance_rc"),
        ),
    ),
    ("people", ((people.REPS, "", ""),)),
    ("health", ((health.FAILING, "", ""), (health.SOURCES, "", ""))),
)
"""Per section its queries, each with the columns of its picture if it has one."""

_STYLE = """
body{font:14px/1.5 system-ui,sans-serif;color:#18212f;background:#fff;max-width:1100px;
margin:0 auto;padding:24px}h1{font-size:26px;margin:0}h2{margin:36px 0 4px;border-bottom:2px solid
#2456b8}h3{margin:22px 0 6px;font-size:15px}p{color:#566274;margin:4px 0}table{border-collapse:
collapse;width:100%;font-size:12.5px}th,td{padding:4px 8px;border-bottom:1px solid #dde2e9;
text-align:left;vertical-align:top;overflow-wrap:anywhere}.num{text-align:right;
font-variant-numeric:tabular-nums;white-space:nowrap}svg{max-width:100%;height:auto}
.scroll{overflow-x:auto}
"""


def write_report(settings: Settings, out: Path, language: str = "en") -> datetime:
    """Write the report of the current publication; return what it is as of.

    Raises:
        ConfigError: there is no such language.
        PipeledgerError: nothing is published.
    """
    if language not in LANGUAGES:
        raise ConfigError(f"--lang {language}: there are {', '.join(LANGUAGES)}")
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    with closing(open_reader(settings, "", Viewer())) as reader:
        view = View(settings, reader, Filters(lang=language), clock_of(settings)())
        try:
            aside.write_text(_page(view), encoding="utf-8")
            aside.replace(out)
        finally:
            aside.unlink(missing_ok=True)
        as_of: datetime = view.build["as_of"]
    return as_of


def _page(view: View) -> str:
    words = view.words
    company = html.escape(view.settings.company.name)
    parts = [
        f'<!DOCTYPE html><html lang="{words.language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        (
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "style-src 'unsafe-inline'\">"
        ),
        f"<title>{words('report.title')} · {company}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{words('report.title')} · {company}</h1>",
        (
            f"<p>{html.escape(words('as_of', at=words.instant(view.build['as_of'])))} · "
            f"{html.escape(str(view.period['label'] or ''))} · "
            f"{html.escape(view.build['build_id'])}</p>"
        ),
    ]
    for page, queries in _SECTIONS:
        parts.append(f"<h2>{html.escape(words(f'page.{page}'))}</h2>")
        for data, label, value in queries:
            rows = view.rows(data)
            parts.append(f"<h3>{html.escape(words(f'data.{data.name}'))}</h3>")
            if not rows:
                parts.append(f"<p>{html.escape(words('empty.rows'))}</p>")
                continue
            if label:
                kinds = {column.name: column.kind for column in data.columns}
                parts.append(
                    _drawn(
                        [shortened(view.text(kinds[label], row[label], row), 36) for row in rows],
                        [row[value] for row in rows],
                        [view.text(kinds[value], row[value], row) for row in rows],
                        words(f"data.{data.name}"),
                    )
                )
            parts.append(_table(view, data, rows))
    parts.append(f"<p>{html.escape(words('footer'))}</p></body></html>")
    return "\n".join(parts)


def _table(view: View, data: Data, rows: Sequence[dict[str, Any]]) -> str:
    def css(kind: str) -> str:
        return ' class="num"' if kind in NUMERIC else ""

    head = "".join(
        f'<th scope="col"{css(one.kind)}>{html.escape(view.words(f"col.{one.name}"))}</th>'
        for one in data.columns
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{css(one.kind)}>"
            f"{html.escape(shortened(view.text(_kind(one.kind), row[one.name], row), 160))}</td>"
            for one in data.columns
        )
        + "</tr>"
        for row in rows[:_ROWS]
    )
    more = ""
    if len(rows) > _ROWS:
        more = f"<p>+ {view.words.count(len(rows) - _ROWS)}</p>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>{more}'


def _kind(kind: str) -> str:
    return {"deal": "text", "mark": "code", "key": "text"}.get(kind, kind)


def _drawn(labels: Sequence[str], values: Sequence[Any], texts: Sequence[str], title: str) -> str:
    """Lying bars as SVG whose text stays text, in whatever script it is written."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    places = range(len(labels))
    with mpl.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "pipeledger", "text.parse_math": False}
    ):
        figure = Figure(figsize=(8.6, 0.5 + 0.3 * len(labels)))
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        numbers = [float(value or 0) for value in values]
        axes.barh(
            places,
            numbers,
            color=["#3b6fd4" if one >= 0 else "#c94f4f" for one in numbers],
            height=0.62,
        )
        for place, number, text in zip(places, numbers, texts, strict=True):
            axes.annotate(
                text,
                (max(number, 0), place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        axes.set_yticks(list(places), list(labels), fontsize=8)
        axes.invert_yaxis()
        axes.set_xticks([])
        axes.axvline(0, color="#7b8794", linewidth=0.8)
        for side in ("top", "right", "bottom", "left"):
            axes.spines[side].set_visible(False)
        figure.subplots_adjust(left=0.26, right=0.84, top=0.98, bottom=0.02)
        file = io.StringIO()
        with warnings.catch_warnings():
            # The text stays text: the reader's fonts draw it, and ours need not hold its letters.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            figure.savefig(file, format="svg", metadata={"Date": None})
    drawn = file.getvalue()
    # The metadata name vocabularies by their addresses; a mailed file needs none.
    start, end = drawn.find("<metadata>"), drawn.find("</metadata>")
    if start >= 0:
        drawn = drawn[:start] + drawn[end + len("</metadata>") :]
    label = html.escape(title, quote=True)
    return drawn[drawn.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
