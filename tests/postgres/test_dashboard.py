"""The dashboard over PostgreSQL: what it shows over the serving file, as a role that only reads."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from connectors.base.errors import PipeledgerError
from dashboard.access import Viewer
from dashboard.app import DATASETS, Pages, make_app
from dashboard.deal_sets import LISTS, listing
from dashboard.shell import PAGES, path_of
from dashboard.view import View
from pipeledger.postgres.publishing import staged
from pipeledger.publish import CURRENT
from pipeledger.settings import Settings
from pipeledger.settings.dashboard import PostgresReading
from tests.dashboard.conftest import look
from tests.e2e.road import Road
from tests.postgres.server import Server, serving

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("small")]


def _over(settings: Settings, dsn: str) -> Settings:
    known = settings.dashboard.model_copy(update={"postgres": PostgresReading(dsn=SecretStr(dsn))})
    return settings.model_copy(update={"dashboard": known})


@contextmanager
def _look(settings: Settings, query: str = "", viewer: Viewer | None = None) -> Iterator[View]:
    view = look(settings, query, viewer)
    with closing(view.reader):
        yield view


@pytest.fixture(scope="module")
def database(small_road: Road, server: Server) -> Iterator[str]:
    """The company in PostgreSQL, and a role `looker` that may do what readers may."""
    name = server.database()
    file = (small_road.settings.paths.serving / CURRENT).resolve()
    with staged(serving(server, name), file, file.stem) as made:
        assert made.commit().error is None
    with psycopg.connect(server.dsn("postgres", "admin"), autocommit=True) as admin:
        admin.execute("create role looker login in role pipeledger_read")
        yield name
        admin.execute("drop role looker")


@pytest.mark.parametrize(
    ("query", "viewer"),
    [
        ("", None),
        ("?scope=team:japan&currency=deal", None),
        ("?pipeline=hubspot:default&period=FY2027-M08&day=2026-08-20", None),
        ("", Viewer("lead@example.com", ("japan",))),
    ],
)
def test_every_query_gets_what_the_serving_file_has(
    small_road: Road, server: Server, database: str, query: str, viewer: Viewer | None
) -> None:
    here = look(small_road.settings, query, viewer)
    asked = {data.name: here.sql(data) for data in DATASETS.values()}
    asked |= {f"list {name}": listing(name, is_past=here.is_past) for name in LISTS}
    keys = here.reader.rows("select min(deal_key) as key from fct_deal")[0]
    with_rows = 0
    with _look(_over(small_road.settings, server.dsn(database)), query, viewer) as there:
        for name, text in asked.items():
            expected = here.reader.rows(text, {**here.parameters, **keys})
            found = there.reader.rows(text, {**there.parameters, **keys})
            assert sorted(map(_plain, found)) == sorted(map(_plain, expected)), name
            with_rows += bool(expected)
    assert with_rows > 20


def test_a_reader_sees_every_page_without_what_is_not_for_it(
    small_road: Road, server: Server, database: str
) -> None:
    settings = _over(small_road.settings, server.dsn(database, "looker"))
    pages = Pages(settings)
    app = make_app(settings)
    with _look(settings) as view:
        key = view.reader.rows(
            "select min(deal_key) as key from bridge_deal_contact "
            "where is_current and not is_deleted"
        )[0]["key"]
    with app.server.test_request_context("/"):
        for path in (*map(path_of, PAGES), "/deals?set=won", f"/deal?key={key}"):
            name, _, query = path.partition("?")
            assert "state-failed" not in str(pages.draw(name, query)), path
        block = pages.block({"startRow": 0}, "set=all")
    assert block["rowCount"] > 40
    with _look(settings, f"?key={key}") as view:
        contacts = view.rows(DATASETS["contacts"])
    assert contacts
    assert {row["name"] for row in contacts} == {None}
    text = app.server.test_client().get("/export/tree.csv").get_data(as_text=True)
    assert len(text.splitlines()) > 5


def test_a_query_changes_nothing(small_road: Road, server: Server, database: str) -> None:
    with _look(_over(small_road.settings, server.dsn(database))) as view:
        for statement in ("delete from fct_deal", "create table marts.mine (a int)"):
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                view.reader.rows(statement)
    with pytest.raises(PipeledgerError, match="holds the newest"):
        look(
            _over(small_road.settings, server.dsn(database)), "?edition=20261128T142040233996-8eb9"
        )


def test_without_a_publication_or_a_server_the_page_says_so(
    small_road: Road, server: Server
) -> None:
    empty = _over(small_road.settings, server.dsn(server.database()))
    gone = _over(small_road.settings, "host=/nowhere dbname=sales")
    for settings, state in ((empty, "state-unpublished"), (gone, "state-failed")):
        pages = Pages(settings)
        with make_app(settings).server.test_request_context("/"):
            assert state in str(pages.draw("/", ""))


def _plain(row: dict[str, Any]) -> str:
    """A row as text in which equal values are equal, whichever driver brought them."""
    return repr([_value(value) for value in row.values()])


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral() else value.normalize()
    return value
