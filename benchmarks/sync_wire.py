"""How much of what latency and rate limit allow a sync over the wire uses.

    python -m benchmarks sync_wire [--full]

The HubSpot connector reads the fictional company from a server in a process of its own. With a
latency of so many milliseconds a listing of pages, each of which names the next, cannot take
less than its requests times the latency; under a limit of so many calls in ten seconds a sync
cannot take less than its full windows. The share is that time over the time that it took.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.table import Measurement
from pipeledger.pipeline import sync_all
from pipeledger.settings import load_settings
from pipeledger.sync import SyncReport
from sandbox.company import build
from sandbox.http import SandboxServer, in_own_process
from sandbox.hubspot import STATIC_TOKEN, HubspotServer, HubspotState, Limits

SEED = 7
LATENCIES_MS = (0, 50, 150)
SHARE = 90.0
WINDOW_SECONDS = 10
CALLS_A_WINDOW = 190
"""What a Professional account may do."""
LISTED = 68_500
"""Contacts of the account under the limit: with the rest five full windows and a little."""

SETTINGS = """
version = 1
clock = "2026-10-15T06:00:00Z"

[company]
name = "Wire"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"
own_domains = ["wire.example"]

[company.fiscal_year]
start_month = 2

[sources.hubspot.crm]
base_url = "{url}"
streams = {streams}
"""


def serve_contacts(count: int, latency_seconds: float) -> SandboxServer:
    """An account with so many contacts and no limit; made in the server's process."""
    state = HubspotState()
    known = build(SEED, 0.05).hubspot
    one = known["contacts"][0]
    known["contacts"] = [one | {"id": str(1_000_000 + number)} for number in range(count)]
    state.load({**known, "deals": []})
    limits = Limits(per_ten_seconds=10**6)
    return HubspotServer(state, limits=limits, latency_seconds=latency_seconds)


def serve_company(scale: float, calls: int) -> SandboxServer:
    """The company's account with many more contacts; it allows so many calls in ten seconds."""
    state = HubspotState()
    known = build(SEED, scale).hubspot
    one = known["contacts"][0]
    more = [one | {"id": str(1_000_000_000 + number)} for number in range(LISTED)]
    state.load({**known, "contacts": [*known["contacts"], *more]})
    return HubspotServer(state, limits=Limits(per_ten_seconds=calls))


def sync(url: str, streams: tuple[str, ...], folder: Path) -> tuple[SyncReport, float]:
    """One first load; the report and its seconds."""
    path = folder / "pipeledger.toml"
    path.write_text(SETTINGS.format(url=url, streams=list(streams)), encoding="utf-8")
    os.environ["PIPELEDGER__SOURCES__HUBSPOT__CRM__TOKEN"] = STATIC_TOKEN
    settings = load_settings(path).settings
    started = time.perf_counter()
    (report,) = asyncio.run(sync_all(settings))
    seconds = time.perf_counter() - started
    broken = [f"{one.stream}: {one.error}" for one in report.streams if one.state != "complete"]
    if broken:
        raise RuntimeError("; ".join(broken))
    return report, seconds


def measure(full: bool) -> Iterator[Measurement]:
    """Yield records per second, and the share of the possible, by latency and under a limit."""
    count = 30_000 if full else 10_000
    for latency in LATENCIES_MS:
        made = partial(serve_contacts, count, latency / 1000)
        with tempfile.TemporaryDirectory() as folder, in_own_process(made) as url:
            report, seconds = sync(url, ("contacts",), Path(folder))
        (stream,) = report.streams
        what = f"{count:,} contacts over {latency} ms"
        yield Measurement(what, stream.seen / seconds, "records/s")
        if latency:
            possible = stream.requests * latency / 1000
            yield Measurement(
                f"{what}, of the possible", possible / seconds * 100, "%", SHARE, "at least"
            )
    made = partial(serve_company, 1.0 if full else 0.25, CALLS_A_WINDOW)
    with tempfile.TemporaryDirectory() as folder, in_own_process(made) as url:
        report, seconds = sync(url, (), Path(folder))
    requests = max(stream.requests for stream in report.streams)
    what = f"all of HubSpot at {CALLS_A_WINDOW} calls in {WINDOW_SECONDS} s"
    windows = (requests - 1) // CALLS_A_WINDOW
    if windows < 3:
        raise RuntimeError(f"{requests} calls fill {windows} windows: too few to say anything")
    possible = windows * WINDOW_SECONDS
    yield Measurement(f"{what}, requests", requests, "calls")
    yield Measurement(f"{what}, of the possible", possible / seconds * 100, "%", SHARE, "at least")
