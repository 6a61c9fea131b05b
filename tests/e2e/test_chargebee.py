"""Chargebee from end to end: nothing is lost among thousands of invoices while they change."""

from pathlib import Path

import duckdb
import pytest

from connectors.chargebee import CONNECTOR, ChargebeeSettings
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport, sync_connection
from sandbox.chargebee import API_KEY, ChargebeeServer, ChargebeeState
from sandbox.exchange import Reply, Request

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("chargebee"), pytest.mark.timeout(300)]

INVOICES = 3_000
OF_ONE_SECOND = 400


async def sync(server: ChargebeeServer, folder: Path) -> SyncReport:
    settings = ChargebeeSettings.model_validate(
        {
            "site": "acme-test",
            "api_key": API_KEY,
            "base_url": server.url,
            "streams": ["invoices"],
            "requests_per_minute": 10_000,
        }
    )
    return await sync_connection(
        CONNECTOR,
        settings,
        "cb",
        Landing(folder / "landing"),
        clock=lambda: server.state.now,
        state_dir=folder / "state",
    )


def landed(folder: Path) -> dict[str, int]:
    """Total by number of the invoices whose newest version is live."""
    pin = Landing(folder / "landing").pin()["chargebee", "invoices"]
    files = ", ".join(f"'{name}'" for name in pin.files)
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            "select record_id, cast(payload ->> 'total' as bigint) from ("
            f"select * from read_parquet([{files}]) qualify row_number() over ("
            "partition by record_id order by observed_at desc, sync_id desc, position desc) = 1"
            ") where change = 'upsert'"
        ).fetchall()
    return dict(rows)


def held(site: ChargebeeState) -> dict[str, int]:
    """Total by number of what the site holds."""
    return {number: one["total"] for number, one in site.held("invoices").items()}


async def test_landed_invoices_are_the_sites_own_twice_while_it_changes(tmp_path: Path) -> None:
    """Three thousand invoices, four hundred of one second, edits and deletes under way."""
    site = ChargebeeState()
    for number in range(INVOICES):
        site.has("invoices", f"INV-{number:05}", total=100)
        if not 100 <= number < 100 + OF_ONE_SECOND:
            site.advance(seconds=7)
    numbers = sorted(site.held("invoices"))
    site.advance(hours=1)

    def live_on(_request: Request, reply: Reply) -> Reply:
        """An edit after each answer."""
        site.advance(seconds=1)
        site.change("invoices", numbers[server.count("invoices") * 37 % INVOICES], total=200)
        return reply

    with ChargebeeServer(site, per_minute=100_000) as server:
        fault = server.fail("invoices", live_on, times=1_000)
        first = await sync(server, tmp_path)
        assert fault.met >= INVOICES // 100
        assert numbers == sorted(landed(tmp_path))
        server.faults.clear()
        site.advance(days=1, minutes=1)
        for place in range(0, INVOICES, 50):
            site.delete("invoices", numbers[place])
        for place in range(101, 100 + OF_ONE_SECOND, 3):
            if place % 50:
                site.change("invoices", numbers[place], total=300)
        for number in range(OF_ONE_SECOND):
            site.has("invoices", f"NEW-{number}", total=400)
        site.advance(minutes=6)
        second = await sync(server, tmp_path)
        third = await sync(server, tmp_path)
        assert [] == server.errors

    assert first.is_complete
    assert second.is_complete
    assert held(site) == landed(tmp_path)
    assert 0 == sum(one.appended for one in third.streams)
