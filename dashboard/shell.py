"""The frame around a page: navigation, filters, what the data is as of, and how fresh it is."""

from datetime import timedelta
from typing import Any

from dash import dcc, html

from dashboard.filters import CURRENCIES, LANGUAGES, METHODS
from dashboard.i18n import Words, shortened
from dashboard.reading import publications
from dashboard.still import Element, hyphened, still
from dashboard.view import View
from pipeledger.pipeline import last_build

PAGES = (
    "overview",
    "pipeline",
    "funnel",
    "forecast",
    "movement",
    "reconciliation",
    "people",
    "health",
)
_OF_A_DAY = {
    **dict.fromkeys(("pipeline", "movement"), "all"),
    **dict.fromkeys(("overview", "reconciliation", "deals"), "part"),
}
"""Pages that show an earlier day, whole or in part; the others know their publication only."""
NAMES = {"en": "English", "ja": "日本語", "id": "Bahasa Indonesia"}


def path_of(page: str) -> str:
    """The address of a page."""
    return "/" if page == "overview" else f"/{page}"


def navigation(view: View | None, words: Words, page: str) -> html.Nav:
    """Links to all pages under the same filters."""
    links = []
    for name in PAGES:
        address = path_of(name) if view is None else view.href(path_of(name))
        is_here = name == page
        links.append(
            dcc.Link(words(f"page.{name}"), href=address, className="here" if is_here else "")
        )
    return html.Nav(links, className="pages", **hyphened(aria_label=words("navigation")))


def _labelled(label: str, field: Any) -> html.Label:
    return html.Label([html.Span(label), field], className="filter")


def _choice(name: str, label: str, options: list[tuple[str, str]], chosen: str) -> html.Label:
    return html.Label(
        [
            html.Span(label),
            html.Select(
                [
                    html.Option(text, value=value, selected=value == chosen or None)
                    for value, text in options
                ],
                **hyphened(data_filter=name),
            ),
        ],
        className="filter",
    )


def _day(view: View) -> Element:
    """The field for an earlier day; the browser's own, empty for the newest."""
    return Element(
        "input",
        {
            "type": "date",
            "data-filter": "day",
            "value": view.day.isoformat() if view.is_past else "",
            "max": view.today.isoformat(),
        },
    )


def choices(view: View) -> html.Form:
    """The filters; a change goes into the address (assets/filters.js)."""
    words, filters = view.words, view.filters
    periods = view.reader.rows(
        "select period_key, label from dim_fiscal_period where grain in ('month', 'quarter') "
        "and start_date <= $today + 200 and start_date > $today - 1100 "
        "and period_key in (select period_key from mart_pipeline_movement "
        "union all select period_key from mart_quota_gap) "
        "order by grain desc, start_date desc",
        view.parameters,
    )
    people = view.reader.rows(
        "select user_key, name, team_key from dim_user where is_current and team_key is not null "
        "and (quota_carrying or is_placeholder) order by name, user_key limit 500"
    )
    teams = sorted({row["team_key"] for row in people})
    lines = view.reader.rows(
        "select pipeline_key, pipeline_name from dim_pipeline where is_current "
        "order by pipeline_order, pipeline_key"
    )
    scopes = [("company", words("scope.company"))]
    scopes += [(f"team:{team}", words("scope.team", name=shortened(team, 40))) for team in teams]
    scopes += [(f"user:{row['user_key']}", shortened(row["name"], 40)) for row in people]
    kept = [("", words("edition.current"))] + [
        (build, words("edition.as_of", at=words.instant(as_of)))
        for build, as_of in publications(view.settings)
    ]
    period = view.period["period_key"] or ""
    return html.Form(
        [
            _choice(
                "period",
                words("filter.period"),
                [(row["period_key"], row["label"]) for row in periods] or [("", "–")],
                period,
            ),
            _choice("scope", words("filter.scope"), scopes, filters.scope),
            _choice(
                "pipeline",
                words("filter.pipeline"),
                [
                    ("", words("pipeline.all")),
                    *((row["pipeline_key"], shortened(row["pipeline_name"], 40)) for row in lines),
                ],
                filters.pipeline,
            ),
            _choice(
                "currency",
                words("filter.currency"),
                [(one, words(f"currency.{one}", code=view.currency)) for one in CURRENCIES],
                filters.currency,
            ),
            _choice(
                "method",
                words("filter.method"),
                [(one, words.code(one)) for one in METHODS],
                filters.method,
            ),
            _labelled(words("filter.day"), _day(view)),
            _choice("edition", words("filter.edition"), kept, filters.edition),
        ],
        className="filters",
        role="search",
        **hyphened(aria_label=words("filters")),
    )


def freshness(view: View, page: str) -> list[Any]:
    """What the data is as of, and whatever keeps it from being whole and new."""
    words = view.words
    as_of = view.build["as_of"]
    limit = timedelta(hours=view.settings.schedule.stale_after_hours)
    streams = view.reader.rows(
        "select source, stream, state, complete_at from meta.source_status order by 1, 2"
    )
    late = [
        row
        for row in streams
        if row["complete_at"] is None or view.now - row["complete_at"] > limit
    ]
    partial = [row for row in streams if row["state"] != "complete"]
    told: list[Any] = [
        html.P(
            [
                html.Span(words("as_of", at=words.instant(as_of)), className="as-of"),
                html.Span(
                    words(
                        "sources_fresh",
                        fresh=words.count(len(streams) - len(late)),
                        all=words.count(len(streams)),
                    ),
                ),
            ],
            className="freshness",
        )
    ]

    def names(rows: list[dict[str, Any]]) -> str:
        shown = ", ".join(f"{row['source']} {row['stream']}" for row in rows[:4])
        return shown + (f" +{len(rows) - 4}" if len(rows) > 4 else "")

    if late:
        told.append(_notice("stale", words("notice.stale", names=names(late)), words))
    if partial:
        told.append(_notice("partial", words("notice.partial", names=names(partial)), words))
    if view.is_past and page in _OF_A_DAY:
        told.append(
            _notice("day", words(f"notice.day_{_OF_A_DAY[page]}", day=words.day(view.day)), words)
        )
    elif view.is_past:
        told.append(_notice("day", words("notice.day_none", day=words.day(view.day)), words))
    newest = last_build(view.settings)
    if newest and newest.get("errors"):
        told.append(_notice("failed", words("notice.failed"), words))
    return told


def _notice(kind: str, text: str, words: Words) -> html.Div:
    return html.Div(
        [html.Strong(words(f"notice.{kind}_name")), " ", text],
        className=f"notice notice-{kind}",
        role="status",
    )


def frame(words: Words, page: str, body: list[Any], view: View | None = None) -> list[Any]:
    """All that stands on the screen."""
    title = words(f"page.{page}") if page in (*PAGES, "deals", "deal", "trace") else words("title")
    languages = html.Nav(
        [
            html.A(
                NAMES[one],
                href=f"?lang={one}"
                if view is None
                else view.href("", lang=one, **view.filters.extra),
                lang=one,
                className="here" if one == words.language else "",
            )
            for one in LANGUAGES
        ],
        className="languages",
        **hyphened(aria_label=words("language")),
    )
    head = html.Header(
        [
            dcc.Link(
                [html.Span("pipe", className="logo-first"), "ledger"],
                href="/" if view is None else view.href("/"),
                className="logo",
            ),
            navigation(view, words, page),
            html.Div(
                [
                    languages,
                    html.Button(words("theme"), id="theme", type="button", className="theme"),
                ],
                className="tools",
            ),
        ],
        className="top",
    )
    return [
        still(html.A(words("skip"), href="#content", className="skip"), head),
        html.Main(
            [
                still(
                    html.Div(
                        [html.H1(title), *(freshness(view, page) if view else [])],
                        className="title",
                    ),
                    *([choices(view)] if view else []),
                ),
                *body,
            ],
            id="content",
            tabIndex=-1,
            lang=words.language,
            **hyphened(data_page=page, data_title=title),
        ),
        still(html.Footer(words("footer"), className="foot")),
    ]


def state(words: Words, kind: str) -> list[Any]:
    """A page that cannot be shown: why, and what to do about it."""
    told = [html.H2(words(f"state.{kind}")), html.P(words(f"state.{kind}_help"))]
    return [html.Div(still(*told), className=f"empty state-{kind}", role="alert")]
