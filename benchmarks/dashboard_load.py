"""How fast the dashboard answers over 100,000 deals, from the server and in Chromium.

    python -m benchmarks dashboard_load

The company is synthetic (benchmarks/synthetic.py), built and published, a third of its deals
opened again in the publication. Each page is drawn five
times by the server; the middle one is told. In the browser the first view counts from the request
until the numbers stand there, an interaction from the click until the next page does. Numbers to
hold: first view 1 s, interactions 300 ms.
"""

import contextlib
import io
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.synthetic import make
from benchmarks.table import Measurement

DEALS = 100_000
_REPEATS = 5
_PERIOD = "FY2024-Q4"
"""A quarter in which the synthetic deals move."""


def measure(full: bool) -> Iterator[Measurement]:  # noqa: ARG001 - it has one size
    """Yield milliseconds by page and interaction, and what crosses the wire."""
    from pipeledger.pipeline import build_and_note, publish_and_note
    from pipeledger.settings import load_settings

    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(make(Path(folder), DEALS).settings_file).settings
        with contextlib.redirect_stdout(io.StringIO()):
            publish_and_note(settings, build_and_note(settings))
        open_some(settings)
        yield from answers(settings)


def open_some(settings: Any) -> None:
    """Open a third of the deals in the publication: the synthetic ones are all decided."""
    from pipeledger.publish import CURRENT

    with duckdb.connect(str((settings.paths.serving / CURRENT).resolve())) as db:
        db.execute(
            "update marts.fct_deal set status = 'open', expected_close_date = date '2026-10-20', "
            "stage_key = (select list(stage_key order by stage_order) from marts.dim_stage "
            "where is_current and stage_type = 'open')[1 + cast(hash(deal_key) % 5 as integer)] "
            "where hash(deal_key) % 3 = 0"
        )
        db.execute(
            "insert into marts.mart_deal_health by name select deal_key, name, owner_user_key, "
            "pipeline_key, stage_key, amount_rc, 70 as health_score, 12 as days_in_stage, "
            "deal_key like '%7' as is_stalled, date '2026-10-15' as as_of_date, is_deleted, "
            "source_system, connection, raw_version_id from marts.fct_deal where status = 'open'"
        )


def answers(settings: Any) -> Iterator[Measurement]:
    """Yield the same for a publication that stands already."""
    from waitress.server import create_server

    from dashboard.app import make_app
    from dashboard.shell import PAGES, path_of

    app = make_app(settings)
    client = app.server.test_client()
    for page in (*PAGES, "deals"):
        asked = {
            "output": "..page.children...page.className..",
            "outputs": [
                {"id": "page", "property": "children"},
                {"id": "page", "property": "className"},
            ],
            "inputs": [
                {"id": "url", "property": "pathname", "value": path_of(page)},
                {"id": "url", "property": "search", "value": f"?set=open&period={_PERIOD}"},
            ],
            "changedPropIds": ["url.pathname"],
        }
        taken = []
        for _ in range(_REPEATS):
            started = time.perf_counter()
            answer = client.post("/_dash-update-component", json=asked)
            taken.append((time.perf_counter() - started) * 1000)
        kilobytes = len(answer.data) / 1024
        yield Measurement(f"{page}, server", statistics.median(taken), "ms", 300.0)
        yield Measurement(f"{page}, size", kilobytes, "kB", 512.0)
    server = create_server(app.server, host="127.0.0.1", port=0, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield from _in_browser(f"http://127.0.0.1:{server.effective_port}")
    finally:
        server.close()


def _in_browser(address: str) -> Iterator[Measurement]:
    from playwright.sync_api import sync_playwright

    from dashboard.shell import PAGES

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        firsts = []
        for _ in range(_REPEATS):
            context = browser.new_context()
            tab = context.new_page()
            started = time.perf_counter()
            tab.goto(f"{address}/?period={_PERIOD}")
            tab.wait_for_selector(".tile-number")
            firsts.append((time.perf_counter() - started) * 1000)
            context.close()
        yield Measurement("first view, nothing cached", statistics.median(firsts), "ms", 1000.0)
        tab = browser.new_page()
        tab.goto(f"{address}/?period={_PERIOD}")
        tab.wait_for_selector(".tile-number")
        by_page: dict[str, list[float]] = {}
        for _ in range(_REPEATS):
            for place, page in enumerate(PAGES):
                started = time.perf_counter()
                tab.locator("nav.pages a").nth(place).click()
                tab.wait_for_selector(f"#content[data-page={page}] h1")
                by_page.setdefault(page, []).append((time.perf_counter() - started) * 1000)
        for page, taken in by_page.items():
            yield Measurement(f"to {page}, in the browser", statistics.median(taken), "ms", 300.0)
        browser.close()
