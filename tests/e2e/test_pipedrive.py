"""Pipedrive from end to end: nothing is lost among thousands of deals."""

from pathlib import Path

import duckdb
import pytest

from connectors.pipedrive import CONNECTOR, PipedriveSettings
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport, sync_connection
from sandbox.exchange import Reply, Request
from sandbox.pipedrive import API_TOKEN, PipedriveServer, PipedriveState

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("pipedrive"), pytest.mark.timeout(900)]

DEALS = 3_000
OF_ONE_SECOND = 400


async def sync(server: PipedriveServer, folder: Path, *streams: str) -> SyncReport:
    settings = PipedriveSettings.model_validate(
        {
            "base_url": server.url,
            "api_token": API_TOKEN,
            "streams": streams,
            "page_size": 150,
            "daily_tokens": 10_000_000,
            "burst_requests": 3_000,
        }
    )
    return await sync_connection(
        CONNECTOR,
        settings,
        "pd",
        Landing(folder / "landing"),
        clock=lambda: server.state.now,
        state_dir=folder / "state",
    )


def landed(folder: Path) -> dict[int, str]:
    """Value by id of the deals whose newest version is live."""
    pin = Landing(folder / "landing").pin()["pipedrive", "deals"]
    files = ", ".join(f"'{name}'" for name in pin.files)
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            "select cast(record_id as bigint), payload ->> 'value' from ("
            f"select * from read_parquet([{files}]) qualify row_number() over ("
            "partition by record_id order by observed_at desc, sync_id desc, position desc) = 1"
            ") where change = 'upsert'"
        ).fetchall()
    return dict(rows)


def live_people(folder: Path) -> int:
    return Landing(folder / "landing").live_count("pipedrive", "persons", "pd")


def held(crm: PipedriveState) -> dict[int, str]:
    """Value by id of what the company itself holds, archived deals too."""
    rows = crm.rows["deals"].values()
    return {row["id"]: str(row["value"]) for row in rows if row["status"] != "deleted"}


async def test_landed_deals_are_the_companys_own_twice_while_it_changes(tmp_path: Path) -> None:
    """Three thousand deals, four hundred of one second, edits and deletes under way."""
    crm = PipedriveState(tokens_per_day=10_000_000)
    for number in range(DEALS):
        crm.add("deals", status=("open", "won", "lost")[number % 3])
        if not 100 <= number < 100 + OF_ONE_SECOND:
            crm.advance(seconds=7)
    deals = sorted(crm.rows["deals"])
    for place in range(3, DEALS, 100):
        crm.archive(deals[place])
    crm.advance(hours=1)

    def live_on(_request: Request, reply: Reply) -> Reply:
        """An edit after each answer."""
        crm.advance(seconds=1)
        number = deals[server.count("deals") * 37 % DEALS]
        crm.change("deals", number, value=2.5)
        return reply

    with PipedriveServer(crm) as server:
        server.fail("deals", live_on, times=1_000)
        first = await sync(server, tmp_path, "deals")
        ids_after_first = sorted(landed(tmp_path))
        before = sorted(held(crm))
        server.faults.clear()
        crm.advance(days=8)
        for place in range(0, DEALS, 50):
            crm.delete("deals", deals[place])
        for place in range(25, DEALS, 500):
            # Older than thirty days: no list shows it any more.
            del crm.rows["deals"][deals[place]]
        for place in range(101, 100 + OF_ONE_SECOND, 3):
            if place % 50 and deals[place] in crm.rows["deals"]:
                crm.change("deals", deals[place], value=3.5)
        for _ in range(OF_ONE_SECOND):
            crm.add("deals", value=4.5)
        second = await sync(server, tmp_path, "deals")
        third = await sync(server, tmp_path, "deals")
        assert [] == server.errors

    assert first.is_complete
    assert second.is_complete
    assert before == ids_after_first
    assert held(crm) == landed(tmp_path)
    assert 0 == sum(one.appended for one in third.streams)


async def test_every_stream_lands_and_is_complete(tmp_path: Path) -> None:
    """A stream that the runner cannot take, or that never ends its window, shows here alone."""
    crm = PipedriveState(tokens_per_day=10_000_000)
    for kind in ("deals", "persons", "organizations", "activities", "products"):
        crm.add(kind)
    crm.add_lead()
    deal = min(crm.rows["deals"])
    crm.lines[deal] = [{"id": 1, "deal_id": deal}]
    crm.change("deals", deal, stage_id=2, products_count=1)
    crm.small = {
        "goals": [{"id": "5f1a", "type": {"name": "deals_won"}, "is_active": True,
                   "assignee": {"type": "company", "id": 7}}],
        "deal_fields": [{"field_code": "9dc8"}],
        "threads": [{"id": 3, "folder": "inbox", "update_time": "2026-10-14 08:00:00"}],
        "messages": [{"id": 8, "mail_thread_id": 3}],
        "lead_sources": [{"name": "Web"}],
        **{
            name: [{"id": 1}]
            for name in (
                "pipelines", "stages", "users", "teams", "permission_sets", "currencies",
                "activity_types", "lead_labels",
            )
        },
    }  # fmt: skip

    with PipedriveServer(crm) as server:
        first = await sync(server, tmp_path)
        crm.advance(days=8)
        second = await sync(server, tmp_path)
        assert [] == server.errors

    assert first.is_complete, first
    assert second.is_complete, second
    assert {stream.name for stream in CONNECTOR.streams} == {
        name for _, name in Landing(tmp_path / "landing").pin()
    }
    assert 0 == sum(one.appended for one in second.streams)


async def test_an_older_copy_that_arrives_late_replaces_nothing(tmp_path: Path) -> None:
    """D-05: a replica of the vendor's that lags shows yesterday's state once more."""
    crm = PipedriveState()
    deal = crm.add("deals", value=1.5)
    stale = dict(crm.rows["deals"][deal])
    crm.advance(minutes=1)
    crm.change("deals", deal, value=2.5)

    with PipedriveServer(crm) as server:
        await sync(server, tmp_path, "deals")
        fresh, crm.rows["deals"][deal] = crm.rows["deals"][deal], stale
        crm.advance(minutes=1)
        late = await sync(server, tmp_path, "deals")
        crm.rows["deals"][deal] = fresh
        assert [] == server.errors

    assert late.is_complete
    assert {deal: "2.5"} == landed(tmp_path)


async def test_a_mass_vanish_deletes_nothing_unless_it_is_allowed(tmp_path: Path) -> None:
    """D-07: a team whose records were hidden answers like one whose records were deleted."""
    crm = PipedriveState()
    people = [crm.add("persons") for _ in range(200)]

    with PipedriveServer(crm) as server:
        await sync(server, tmp_path, "persons")
        for person in people[:150]:
            del crm.rows["persons"][person]
        crm.advance(days=8)
        refused = await sync(server, tmp_path, "persons")
        again = await sync(server, tmp_path, "persons")
        assert [] == server.errors

    assert [False, False] == [refused.is_complete, again.is_complete]
    assert all("--allow-deletes" in str(one.streams[0].error) for one in (refused, again))
    assert 200 == live_people(tmp_path)
