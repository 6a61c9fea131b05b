"""The shared publication, seen through the dashboard; and one with names that mean harm."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, sync_playwright
from waitress.server import create_server

from dashboard.access import Viewer
from dashboard.app import make_app
from dashboard.filters import parse
from dashboard.reading import open_reader
from dashboard.view import View
from pipeledger.pipeline import clock_of
from pipeledger.publish import CURRENT
from pipeledger.settings import Settings
from tests.e2e.road import Road
from tests.programs import program

HOSTILE = (
    "<script>window.harmed = true</script>",
    '<img src=x onerror="window.harmed = true">',
    '=HYPERLINK("http://example.com","click")',
    "invoice\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe",
    "long " * 2000,
    "\N{FIRE}\N{FAMILY} deal \N{PERSON WITH FOLDED HANDS}",
)
"""Names that a CRM may hold, of the first open deals by key."""


def look(settings: Settings, query: str = "", viewer: Viewer | None = None) -> View:
    """A look at the current publication."""
    filters = parse(query)
    reader = open_reader(settings, filters.edition, viewer or Viewer())
    return View(settings, reader, filters, clock_of(settings)())


def served_from(settings: Settings, folder: Path, statements: list[str]) -> Settings:
    """Settings that read a changed copy of the publication."""
    folder.mkdir(parents=True)
    link = settings.paths.serving / CURRENT
    copy = folder / link.resolve().name
    shutil.copyfile(link, copy)
    with duckdb.connect(str(copy)) as db:
        for statement in statements:
            db.execute(statement)
    (folder / CURRENT).symlink_to(copy.name)
    paths = settings.paths.model_copy(update={"serving": folder})
    return settings.model_copy(update={"paths": paths})


@pytest.fixture(scope="session")
def hostile(road: Road, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The company after somebody gave its deals, an owner and a stage such names."""
    keys = road.rows("select deal_key from marts.fct_deal where status = 'open' order by 1 limit 6")
    statements = []
    for (key,), name in zip(keys, HOSTILE, strict=True):
        quoted = name.replace("'", "''")
        statements += [
            f"update marts.{mart} set name = '{quoted}' where deal_key = '{key}'"
            for mart in ("fct_deal", "mart_deal_health")
        ]
        statements.append(
            f"update marts.fct_deal set amount_rc = 900000000, amount_amt = 900000000 "
            f"where deal_key = '{key}'"
        )
    statements.append(f"update marts.dim_user set name = '{HOSTILE[0]}' where user_key = 'unknown'")
    statements.append(
        f"update marts.dim_stage set stage_name = '{HOSTILE[1]}' where stage_order = 1"
    )
    statements.append(
        f"update marts.fct_deal set name = '{HOSTILE[1]}' where deal_key = (select deal_key "
        "from marts.mart_deal_billing_recon where billing_status = 'unbilled_late' "
        "order by booked_net_rc desc, deal_key limit 1)"
    )
    statements.append(
        f"update marts.mart_funnel_cohort set stage_name = '<b>{HOSTILE[0]}</b>' "
        "where stage_order = 1"
    )
    folder = tmp_path_factory.mktemp("hostile") / "serving"
    return served_from(road.settings, folder, statements)


@dataclass(frozen=True)
class Site:
    """A dashboard that listens on loopback."""

    address: str
    settings: Settings


@pytest.fixture(scope="module")
def serve() -> Iterator[object]:
    """Start dashboards; they end with the tests of a module."""
    running = []

    def start(settings: Settings) -> Site:
        server = create_server(make_app(settings).server, host="127.0.0.1", port=0, threads=4)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        return Site(f"http://127.0.0.1:{server.effective_port}", settings)

    yield start
    for server, thread in running:
        server.close()
        server.task_dispatcher.shutdown()
        thread.join(5)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, one for all tests of a module.

    Not of the session: playwright keeps an event loop running, in which no other test's can.
    """
    found = program("bin/chromium")
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()
