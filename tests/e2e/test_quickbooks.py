"""QuickBooks from end to end: nothing is lost among thousands of invoices."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from connectors.quickbooks import CONNECTOR, QuickbooksSettings
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport, sync_connection
from sandbox.exchange import Reply, Request
from sandbox.quickbooks import (
    CLIENT_ID,
    CLIENT_SECRET,
    REALM,
    REFRESH_TOKEN,
    QuickbooksServer,
    QuickbooksState,
)

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("quickbooks"), pytest.mark.timeout(900)]

INVOICES = 3_000
OF_ONE_SECOND = 400


async def sync(server: QuickbooksServer, folder: Path) -> SyncReport:
    settings = QuickbooksSettings.model_validate(
        {
            "realm_id": REALM,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "base_url": server.url,
            "token_url": f"{server.url}/oauth2/v1/tokens/bearer",
            "streams": ["invoices"],
            "page_size": 150,
        }
    )
    return await sync_connection(
        CONNECTOR,
        settings,
        "qb",
        Landing(folder / "landing"),
        clock=lambda: server.state.now,
        state_dir=folder / "state",
    )


def landed(folder: Path) -> dict[str, str]:
    """Balance by id of the invoices whose newest version is live."""
    pin = Landing(folder / "landing").pin()["quickbooks", "invoices"]
    files = ", ".join(f"'{name}'" for name in pin.files)
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            "select record_id, payload ->> 'Balance' from ("
            f"select * from read_parquet([{files}]) qualify row_number() over ("
            "partition by record_id order by observed_at desc, sync_id desc, position desc) = 1"
            ") where change = 'upsert'"
        ).fetchall()
    return dict(rows)


def held(books: QuickbooksState) -> dict[str, str]:
    """Balance by id of what the server's own tables hold."""
    return {number: str(row["Balance"]) for number, row in books.table("Invoice").items()}


async def test_landed_invoices_are_the_servers_own_twice_while_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three thousand invoices, four hundred of one second, edits and deletes under way."""
    monkeypatch.setattr("connectors.quickbooks.opening.PER_SECOND", 1000)
    books = QuickbooksState()
    for number in range(INVOICES):
        books.put("Invoice", TotalAmt=Decimal("9.5"), Balance=Decimal("9.5"))
        if not 100 <= number < 100 + OF_ONE_SECOND:
            books.advance(seconds=7)
    made = list(books.table("Invoice"))
    books.advance(hours=1)

    with QuickbooksServer(books) as server:

        def live_on(_request: Request, reply: Reply) -> Reply:
            """An edit after each answer."""
            books.advance(seconds=1)
            number = made[server.count("query") * 37 % INVOICES]
            books.edit("Invoice", number, Balance=Decimal("2.5"))
            return reply

        server.fail("query", live_on, times=1_000)
        first = await sync(server, tmp_path)
        server.faults.clear()
        books.advance(minutes=2)
        missed = set(made) - set(landed(tmp_path))
        # What was edited under way lies beyond the first read's end.
        edited = {one for one, row in books.table("Invoice").items() if row["SyncToken"] != "0"}
        for place in range(0, INVOICES, 50):
            books.delete("Invoice", made[place])
        for place in range(101, 100 + OF_ONE_SECOND, 3):
            if place % 50:
                books.edit("Invoice", made[place], Balance=Decimal("3.5"))
        for _ in range(OF_ONE_SECOND):
            books.put("Invoice", TotalAmt=Decimal("4.5"), Balance=Decimal("4.5"))
        books.advance(minutes=2)
        second = await sync(server, tmp_path)
        third = await sync(server, tmp_path)
        assert [] == server.errors

    assert first.is_complete
    assert second.is_complete
    assert missed <= edited
    assert held(books) == landed(tmp_path)
    assert 0 == sum(one.appended for one in third.streams)
