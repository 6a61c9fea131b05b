"""Salesforce from end to end: nothing is lost among thousands of deals."""

from pathlib import Path

import duckdb
import pytest

from connectors.salesforce import CONNECTOR, SalesforceSettings
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport, sync_connection
from sandbox.exchange import Reply, Request
from sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, SalesforceServer, SalesforceState

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("salesforce"), pytest.mark.timeout(900)]

DEALS = 3_000
OF_ONE_SECOND = 400


async def sync(server: SalesforceServer, folder: Path, *, bulk_rows: int) -> SyncReport:
    settings = SalesforceSettings.model_validate(
        {
            "base_url": server.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "streams": ["deals"],
            "bulk_rows": bulk_rows,
            "settle_minutes": 0,
        }
    )
    return await sync_connection(
        CONNECTOR,
        settings,
        "sf",
        Landing(folder / "landing"),
        clock=lambda: server.state.now,
        state_dir=folder / "state",
    )


def landed(folder: Path) -> dict[str, str | None]:
    """Amount by id of the deals whose newest version is live."""
    pin = Landing(folder / "landing").pin()["salesforce", "deals"]
    files = ", ".join(f"'{name}'" for name in pin.files)
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            "select record_id, payload ->> 'Amount' from ("
            f"select * from read_parquet([{files}]) qualify row_number() over ("
            "partition by record_id order by observed_at desc, sync_id desc, position desc) = 1"
            ") where change = 'upsert'"
        ).fetchall()
    return dict(rows)


def held(org: SalesforceState) -> dict[str, str]:
    """Amount by id of what the org itself holds outside of its bin."""
    rows = org.rows["Opportunity"].items()
    return {one: str(row["Amount"]) for one, row in rows if not row["IsDeleted"]}


@pytest.mark.parametrize("bulk_rows", [1_000, 50_000], ids=["by job", "by page"])
async def test_landed_deals_are_the_orgs_own_twice_while_it_changes(
    tmp_path: Path, bulk_rows: int
) -> None:
    """Three thousand deals, four hundred of one second, edits, merges and purges under way."""
    org = SalesforceState()
    for number in range(DEALS):
        org.add("Opportunity", Name=f"deal {number}", Amount=1.5)
        if not 100 <= number < 100 + OF_ONE_SECOND:
            org.advance(seconds=7)
    deals = sorted(org.rows["Opportunity"])
    org.advance(hours=1)

    def live_on(_request: Request, reply: Reply) -> Reply:
        """An edit after each answer."""
        org.advance(seconds=1)
        org.change("Opportunity", deals[server.count("services") * 37 % DEALS], Amount=2.5)
        return reply

    with SalesforceServer(org) as server:
        server.page_size = 190
        server.bulk_page = 700
        server.fail("queryAll|results|query/", live_on, times=1_000)
        first = await sync(server, tmp_path, bulk_rows=bulk_rows)
        after_first = set(landed(tmp_path))
        before = set(org.rows["Opportunity"])
        server.faults.clear()
        org.advance(days=1, minutes=1)
        for place in range(0, DEALS, 50):
            org.delete("Opportunity", deals[place])
        for place in range(1, DEALS, 500):
            org.purge("Opportunity", deals[place])
        for place in range(101, 100 + OF_ONE_SECOND, 3):
            if place % 50 and place % 500 != 1:
                org.change("Opportunity", deals[place], Amount=3.5)
        org.merge("Opportunity", deals[11], deals[12])
        for number in range(OF_ONE_SECOND):
            org.add("Opportunity", Name=f"late {number}", Amount=4.5)
        org.advance(minutes=1)
        second = await sync(server, tmp_path, bulk_rows=bulk_rows)
        third = await sync(server, tmp_path, bulk_rows=bulk_rows)
        assert [] == server.errors

    assert first.is_complete
    assert second.is_complete
    # What is edited under way leaves the window that is read and comes with the next run.
    assert after_first <= before
    assert held(org) == landed(tmp_path)
    assert 0 == sum(one.appended for one in third.streams)


async def test_an_older_copy_that_arrives_late_replaces_nothing(tmp_path: Path) -> None:
    """D-05: a replica of the org that lags shows yesterday's state once more."""
    org = SalesforceState()
    deal = org.add("Opportunity", Name="x", Amount=1.5)
    stale = dict(org.rows["Opportunity"][deal])
    org.advance(minutes=1)
    org.change("Opportunity", deal, Amount=2.5)
    org.advance(minutes=1)

    with SalesforceServer(org) as server:
        await sync(server, tmp_path, bulk_rows=50_000)
        org.rows["Opportunity"][deal] = stale
        org.advance(minutes=1)
        late = await sync(server, tmp_path, bulk_rows=50_000)
        assert [] == server.errors

    assert late.is_complete
    assert {deal: "2.5"} == landed(tmp_path)


async def test_a_mass_vanish_deletes_nothing_unless_it_is_allowed(tmp_path: Path) -> None:
    """D-07: a sharing rule that hides records answers like one that purged them."""
    org = SalesforceState()
    deals = [org.add("Opportunity", Name="x", Amount=1.5) for _ in range(200)]
    org.advance(minutes=1)

    with SalesforceServer(org) as server:
        await sync(server, tmp_path, bulk_rows=50_000)
        for deal in deals[:150]:
            del org.rows["Opportunity"][deal]
        org.advance(days=8)
        refused = await sync(server, tmp_path, bulk_rows=50_000)
        assert [] == server.errors

    assert not refused.is_complete
    assert "--allow-deletes" in str([one.error for one in refused.streams])
    assert deals == sorted(landed(tmp_path))
