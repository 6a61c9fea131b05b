"""The application: from an address to a page, a block of rows, or a file."""

import logging
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import duckdb
import psycopg
from dash import MATCH, Dash, Input, Output, State, dcc, html, no_update
from flask import Flask, Response, abort, request

from connectors.base.errors import PipeledgerError
from connectors.base.redact import redact
from dashboard import deal_sets
from dashboard.access import Viewer, viewer_of
from dashboard.filters import LANGUAGES, Filters, parse
from dashboard.i18n import Words
from dashboard.pages import (
    deal,
    deals,
    forecast,
    funnel,
    health,
    movement,
    overview,
    people,
    pipeline,
    reconciliation,
    trace,
)
from dashboard.reading import open_reader
from dashboard.security import guard
from dashboard.shell import frame, state
from dashboard.view import View
from pipeledger.export import Format, Wanted, write
from pipeledger.pipeline import clock_of
from pipeledger.settings import Settings

log = logging.getLogger(__name__)
MODULES: dict[str, Any] = {
    "overview": overview,
    "pipeline": pipeline,
    "funnel": funnel,
    "forecast": forecast,
    "movement": movement,
    "reconciliation": reconciliation,
    "people": people,
    "health": health,
    "deals": deals,
    "deal": deal,
    "trace": trace,
}
DATASETS = {
    data.name: data for module in MODULES.values() for data in getattr(module, "DATASETS", ())
}
_INDEX = """<!DOCTYPE html>
<html lang="{lang}">
<head>{metas}<title>{title}</title>{favicon}{css}</head>
<body>{app_entry}{config}{scripts}{renderer}</body>
</html>"""


def page_of_path(path: str) -> str:
    """The page of an address; an empty text if there is none."""
    name = path.strip("/") or "overview"
    return name if name in MODULES else ""


class Pages:
    """Draws pages for whoever asks."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def viewer(self) -> Viewer:
        """Whoever the proxy says is asking; nobody else gets past this."""
        known = self.settings.dashboard
        header = request.headers.get(known.user_header) if known.user_header else None
        found = viewer_of(known, header)
        if found is None:
            abort(403)
        return found

    def filters(self, query: str) -> Filters:
        """The filters of an address, in the browser's language if it names none."""
        return parse(query, request.accept_languages.best_match(LANGUAGES) or "en")

    def view(self, filters: Filters) -> View:
        """A look at the publication that the filters name."""
        reader = open_reader(self.settings, filters.edition, self.viewer())
        return View(self.settings, reader, filters, clock_of(self.settings)())

    def draw(self, path: str, query: str) -> list[Any]:
        """The page of an address, whatever happens."""
        filters = self.filters(query)
        words = Words(filters.lang, self.settings.company.time_zone)
        page = page_of_path(path)
        if not page:
            return frame(words, "", state(words, "missing"))
        try:
            view = self.view(filters)
        except PipeledgerError:
            return frame(words, page, state(words, "unpublished"))
        except psycopg.Error as error:  # a traceback would name who signs in, and where
            log.warning("PostgreSQL cannot be asked: %s", redact(str(error)))
            return frame(words, page, state(words, "failed"))
        try:
            with closing(view.reader):
                return frame(words, page, MODULES[page].build(view), view)
        except (duckdb.Error, psycopg.Error, OSError, KeyError, ValueError, PipeledgerError):
            log.exception("page %s cannot be drawn", page)
            return frame(words, page, state(words, "failed"))

    def block(self, wanted: dict[str, Any], address: str) -> dict[str, Any]:
        """Some rows of a list of deals, as the grid asks for them."""
        name = self.filters(address).extra.get("set", "all")
        if name not in deal_sets.LISTS:
            return {"rowData": [], "rowCount": 0}
        view = self.view(self.filters(address))
        first = max(0, int(wanted.get("startRow", 0)))
        sorting = (wanted.get("sortModel") or [{}])[0]
        order = f"{sorting.get('colId', '')} {sorting.get('sort', '')}".strip()
        listed = deal_sets.listing(name, order, is_past=view.is_past)
        counted = deal_sets.total(name, is_past=view.is_past)
        with closing(view.reader) as reader:
            found = reader.rows(f"{listed} limit {deals.BLOCK} offset {first}", view.parameters)
            count = reader.rows(counted, view.parameters)[0]["n"]
            return {
                "rowData": [deals.shown_row(view, name, row) for row in found],
                "rowCount": count,
            }

    def file(self, name: str, kind: str, query: str) -> Response:
        """The rows behind a picture as a file that a spreadsheet opens without harm."""
        filters = self.filters(query)
        chosen = filters.extra.get("set", "all")
        formats = {known: known for known in get_args(Format)}
        is_listed = name == "deals" and chosen in deal_sets.LISTS
        if kind not in formats or not (is_listed or name in DATASETS):
            abort(404)
        view = self.view(filters)
        with closing(view.reader) as reader, tempfile.TemporaryDirectory() as scratch:
            if is_listed:
                sql = deal_sets.listing(chosen, is_past=view.is_past)
            else:
                sql = view.sql(DATASETS[name])
            at = f"{view.build['as_of']:%Y-%m-%d %H:%M} UTC"
            path = Path(scratch) / f"{name}.{kind}"
            with reader.relation(sql, view.parameters) as rows:
                about = f"{name}, as of {at}, {filters.query()}"
                write(rows, about, Wanted(name, formats[kind]), path)
            content = path.read_bytes()
        answer = Response(content)
        answer.headers["Content-Type"] = {
            "csv": "text/csv; charset=utf-8",
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }.get(kind, "application/octet-stream")
        day = f"{view.build['as_of']:%Y-%m-%d}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}_{day}.{kind}"'
        return answer


class LocalDash(Dash):
    """Dash whose page says its language."""

    def interpolate_index(self, *_: Any, **kwargs: Any) -> str:
        """The page before anything is drawn."""
        query = request.query_string.decode("utf-8", "replace")
        lang = parse(query, request.accept_languages.best_match(LANGUAGES) or "en").lang
        return _INDEX.format(
            lang=lang,
            **{
                name: kwargs[name]
                for name in (
                    "metas",
                    "title",
                    "favicon",
                    "css",
                    "app_entry",
                    "config",
                    "scripts",
                    "renderer",
                )
            },
        )


def make_app(settings: Settings) -> Dash:
    """The application over what the settings publish."""
    pages = Pages(settings)
    app = LocalDash(
        __name__,
        title=settings.company.name,
        update_title="",
        assets_folder=str(Path(__file__).parent / "assets"),
        serve_locally=True,
        suppress_callback_exceptions=True,
        add_log_handler=False,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "color-scheme", "content": "light dark"},
        ],
    )
    app.layout = html.Div(
        [dcc.Location(id="url", refresh="callback-nav"), html.Div(id="page", className="loading")],
        id="shell",
    )

    @app.callback(
        Output("page", "children"),
        Output("page", "className"),
        Input("url", "pathname"),
        Input("url", "search"),
    )
    def draw(path: str | None, query: str | None) -> Any:
        return pages.draw(path or "/", query or ""), "ready"

    @app.callback(
        Output({"type": "deals", "index": MATCH}, "getRowsResponse"),
        Input({"type": "deals", "index": MATCH}, "getRowsRequest"),
        State({"type": "deals", "index": MATCH}, "id"),
        prevent_initial_call=True,
    )
    def block(wanted: dict[str, Any] | None, which: dict[str, str]) -> Any:
        return no_update if wanted is None else pages.block(wanted, which["index"])

    server: Flask = app.server

    @server.before_request
    def sign_in() -> None:
        pages.viewer()

    @server.get("/export/<name>.<kind>")
    def export(name: str, kind: str) -> Response:
        try:
            return pages.file(name, kind, request.query_string.decode("utf-8", "replace"))
        except PipeledgerError as error:
            log.warning("export %s: %s", name, error)
            abort(404)

    guard(server, app.csp_hashes(), settings.dashboard.hosts)
    return app


def serve(settings: Settings) -> None:
    """Answer until interrupted."""
    from waitress import serve as listen

    known = settings.dashboard
    app = make_app(settings)
    listen(app.server, host=known.host, port=known.port, threads=4, ident="pipeledger")
