"""Xero from end to end: nothing is lost among thousands of invoices while they change."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from connectors.xero import CONNECTOR, XeroSettings
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport, sync_connection
from sandbox.exchange import Reply, Request
from sandbox.xero import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, XeroServer, XeroState

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("xero"), pytest.mark.timeout(900)]

INVOICES = 3_000
OF_ONE_SECOND = 400


async def sync(server: XeroServer, folder: Path) -> SyncReport:
    settings = XeroSettings.model_validate(
        {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "base_url": server.url,
            "token_url": f"{server.url}/connect/token",
            "streams": ["invoices", "items"],
            "page_size": 150,
            "calls_per_minute": 10_000,
        }
    )
    return await sync_connection(
        CONNECTOR,
        settings,
        "xe",
        Landing(folder / "landing"),
        clock=lambda: server.state.now,
        state_dir=folder / "state",
    )


def landed(folder: Path, stream: str, field: str) -> dict[str, str]:
    """A field by id of the records whose newest version is live."""
    pin = Landing(folder / "landing").pin()["xero", stream]
    files = ", ".join(f"'{name}'" for name in pin.files)
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            f"select record_id, payload ->> '{field}' from ("
            f"select * from read_parquet([{files}]) qualify row_number() over ("
            "partition by record_id order by observed_at desc, sync_id desc, position desc) = 1"
            ") where change = 'upsert'"
        ).fetchall()
    return dict(rows)


def held(books: XeroState) -> dict[str, str]:
    """Reference by id of the server's own invoices that are not deleted."""
    return {
        id_: str(one["Reference"])
        for id_, one in books.table("Invoices").items()
        if one["Status"] != "DELETED"
    }


async def test_landed_invoices_are_the_servers_own_twice_while_they_change(tmp_path: Path) -> None:
    """Three thousand, four hundred of one second; edits, voids and deletes under way."""
    books = XeroState()
    ids = []
    for number in range(INVOICES):
        one = {"Type": "ACCREC", "Status": "AUTHORISED", "Reference": "a", "Total": Decimal(1)}
        ids.append(books.put("Invoices", one))
        if not 100 <= number < 100 + OF_ONE_SECOND:
            books.advance(seconds=7)
    items = [books.put("Items", {"Code": f"I{number}"}) for number in range(30)]
    books.advance(hours=1)

    def live_on(_request: Request, reply: Reply) -> Reply:
        """An edit after each answer."""
        books.advance(seconds=1)
        books.edit("Invoices", ids[server.count("Invoices") * 37 % INVOICES], Reference="b")
        return reply

    with XeroServer(books, per_minute=100_000) as server:
        server.fail("Invoices", live_on, times=1_000)
        first = await sync(server, tmp_path)
        ids_after_first = sorted(landed(tmp_path, "invoices", "Reference"))
        server.faults.clear()
        books.advance(hours=1)
        for place in range(0, INVOICES, 50):
            books.edit("Invoices", ids[place], Status="DELETED")
        for place in range(101, 100 + OF_ONE_SECOND, 3):
            if place % 50:
                books.edit("Invoices", ids[place], Reference="c", Status="VOIDED")
        for _ in range(OF_ONE_SECOND):
            books.put("Invoices", {"Type": "ACCREC", "Status": "DRAFT", "Reference": "d"})
        books.remove("Items", items[7])
        second = await sync(server, tmp_path)
        third = await sync(server, tmp_path)
        assert [] == server.errors

    assert first.is_complete
    assert second.is_complete
    assert sorted(ids) == ids_after_first
    assert held(books) == landed(tmp_path, "invoices", "Reference")
    assert set(items) - {items[7]} == set(landed(tmp_path, "items", "Code"))
    assert 0 == sum(one.appended for one in third.streams)
