"""Vtiger: deleted, converted, restored and hidden records are told apart."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.base.errors import CursorExpired
from sandbox.exchange import Reply, Request, reply_html
from sandbox.vtiger import ACCESS_KEY, Login, VtigerServer, VtigerState
from tests.connectors.vtiger.shelf import Shelf


@pytest.fixture(params=[True, False], ids=["sync works", "sync dies under PHP 8"])
def server(crm: VtigerState, request: pytest.FixtureRequest) -> Iterator[VtigerServer]:
    """Both kinds of server; where ``sync`` dies, ids are compared at every read here."""
    with VtigerServer(crm, sync_works=request.param, counts=request.param) as running:
        yield running
    assert not running.errors


def a_day_later(crm: VtigerState) -> None:
    """The comparison of ids is due where ``sync`` does not work."""
    crm.advance(days=1, minutes=1)


async def test_a_deleted_deal_is_deleted(crm: VtigerState, shelf: Shelf) -> None:
    """No query shows it: a lost delete is a phantom deal."""
    kept, gone = crm.has("Potentials"), crm.has("Potentials")
    await shelf.deals()
    a_day_later(crm)
    crm.delete(gone)

    await shelf.deals()
    again = await shelf.deals()

    assert ["upsert", "deleted"] == shelf.changes("deals", gone)
    assert [kept] == shelf.live("deals")
    assert [] == again.ids


async def test_a_converted_lead_is_not_a_deleted_one(crm: VtigerState, shelf: Shelf) -> None:
    """Both leave every list alike; counted as deletes, no lead would ever convert."""
    converted, deleted = crm.has("Leads", lastname="Ada"), crm.has("Leads", lastname="Bob")
    await shelf.sync("leads")
    a_day_later(crm)
    deal = crm.convert(converted, potentialname="Ada's deal")
    crm.delete(deleted)

    await shelf.sync("leads", "deals")
    again = await shelf.sync("leads", full=True)

    assert ["upsert", "converted"] == shelf.changes("leads", converted)
    assert ["upsert", "deleted"] == shelf.changes("leads", deleted)
    assert "Ada" == shelf.payload("leads", converted)["lastname"]
    assert "1" == shelf.payload("deals", deal)["isconvertedfromlead"]
    assert [] == again["leads"].ids


async def test_a_converted_lead_that_is_deleted_later_stays_converted(
    crm: VtigerState, shelf: Shelf
) -> None:
    """What was won of it has happened."""
    lead = crm.has("Leads", lastname="Ada")
    await shelf.sync("leads")
    a_day_later(crm)
    crm.convert(lead)
    await shelf.sync("leads")
    a_day_later(crm)
    crm.delete(lead)

    await shelf.sync("leads")

    assert ["upsert", "converted"] == shelf.changes("leads", lead)


async def test_of_two_merged_companies_the_survivor_stays(crm: VtigerState, shelf: Shelf) -> None:
    """The server names no survivor: the other one is simply deleted."""
    survivor, loser = crm.has("Accounts"), crm.has("Accounts")
    await shelf.sync("companies")
    a_day_later(crm)
    crm.merge(survivor, loser)

    await shelf.sync("companies")

    assert [survivor] == shelf.live("companies")
    assert "deleted" == shelf.changes("companies", loser)[-1]


async def test_what_was_purged_is_found_by_comparing_all_ids(
    crm: VtigerState, shelf: Shelf
) -> None:
    """Not even ``sync`` knows what an emptied recycle bin held."""
    kept, gone = crm.has("Potentials"), crm.has("Potentials")
    await shelf.deals()
    crm.advance(days=8)
    crm.delete(gone)
    crm.purge(gone)

    await shelf.deals()

    assert [kept] == shelf.live("deals")


async def test_stock_that_moved_without_an_edit_is_seen_within_a_day(
    crm: VtigerState, shelf: Shelf
) -> None:
    """Orders write it into the product and leave its clock alone; no window shows that."""
    moved = crm.has("Products", productname="Box", qtyinstock="12.000")
    crm.advance(hours=1)
    for number in range(120):
        crm.has("Products", productname=f"part {number}", qtyinstock="1.000")
    await shelf.sync("products")
    crm.advance(hours=2)
    crm.move_stock(moved, "8.000")
    soon = (await shelf.sync("products"))["products"]
    crm.advance(hours=25)

    outcome = (await shelf.sync("products"))["products"]

    assert [] == soon.ids
    assert [moved] == outcome.ids
    assert "8.000" == shelf.payload("products", moved)["qtyinstock"]
    assert (
        outcome.added[0].source_updated_at == shelf.versions["products"][moved][0].source_updated_at
    )


async def test_a_record_that_was_restored_is_read_again(crm: VtigerState, shelf: Shelf) -> None:
    """Its clock stays what it was, so no window shows it."""
    deal = crm.has("Potentials", amount="1")
    crm.has("Potentials")
    await shelf.deals()
    a_day_later(crm)
    crm.delete(deal)
    crm.advance(hours=1)
    await shelf.deals()
    crm.advance(days=8)
    crm.restore(deal)

    await shelf.deals()

    assert ["upsert", "deleted", "upsert"] == shelf.changes("deals", deal)


async def test_a_record_hidden_from_us_is_not_called_deleted(
    crm: VtigerState, shelf: Shelf
) -> None:
    """A changed sharing rule deletes nothing; shown again, the record is read again."""
    crm.logins["rep"] = Login("rep", ACCESS_KEY, "19x1", is_admin=False)
    shelf.settings = {"username": "rep"}
    shown, hidden = crm.has("Potentials"), crm.has("Potentials")
    await shelf.deals()
    a_day_later(crm)
    crm.logins["rep"].hidden = {hidden}
    await shelf.deals()
    assert [shown] == shelf.live("deals")
    a_day_later(crm)
    crm.logins["rep"].hidden = set()

    await shelf.deals()

    assert ["upsert", "access_lost", "upsert"] == shelf.changes("deals", hidden)


async def test_a_listing_that_lacks_a_third_asks_after_nobody(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """D-07: it is handed over whole, so that the guard of the landing can refuse it."""
    for _ in range(90):
        crm.has("Potentials")
    await shelf.deals()
    crm.advance(days=8)
    ids = crm.ids("Potentials")
    for deal in ids[:30]:
        crm.delete(deal)
        crm.purge(deal)
    server.requests.clear()

    outcome = await shelf.deals()

    asked = [one for one in server.requests if one.param("operation") == "retrieve"]
    assert [] == asked
    assert [ids[30:]] == [one.complete_ids for one in outcome.pages if one.complete_ids]


async def test_a_first_load_that_was_interrupted_asks_for_no_ancient_deletes(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """Deletes since 1970 are the whole company; those since the load began are wanted."""
    for _ in range(250):
        crm.has("Potentials")
        crm.advance(minutes=1)
    began = int(crm.now.timestamp())
    await shelf.deals(stop_after=1)
    gone = shelf.live("deals")[0]
    crm.advance(minutes=5)
    crm.delete(gone)

    await shelf.deals()
    a_day_later(crm)
    await shelf.deals()

    asked = [
        int(one.param("modifiedTime") or 0)
        for one in server.requests
        if one.param("operation") == "sync"
    ]
    assert asked
    assert all(one >= began - 600 for one in asked)
    assert crm.ids("Potentials") == shelf.live("deals")


async def test_many_records_shown_for_the_first_time_call_for_a_full_read(
    crm: VtigerState, shelf: Shelf
) -> None:
    """A wider profile shows thousands of old records that no window would find."""
    crm.logins["rep"] = Login("rep", ACCESS_KEY, "19x1", is_admin=False)
    shelf.settings = {"username": "rep"}
    deals = [crm.has("Potentials", at=crm.now - timedelta(days=9)) for _ in range(210)]
    deals += [crm.has("Potentials") for _ in range(30)]
    crm.logins["rep"].hidden = set(deals[:210])
    await shelf.deals()
    a_day_later(crm)
    crm.logins["rep"].hidden = set()

    with pytest.raises(CursorExpired, match="210 records of Potentials appeared"):
        await shelf.deals()
    await shelf.deals(full=True)

    assert deals == shelf.live("deals")


async def test_a_sync_that_dies_under_a_200_is_asked_once_and_missed_by_nobody(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """Where PHP shows its errors, the fatal one of ``sync`` under PHP 8 bears a 200."""
    kept, gone = crm.has("Potentials"), crm.has("Potentials")
    await shelf.deals()
    a_day_later(crm)
    crm.delete(gone)
    asked: list[Request] = []

    def dies(request: Request, reply: Reply) -> Reply:
        if request.param("operation") != "sync":
            return reply
        asked.append(request)
        return reply_html("<br />\n<b>Fatal error</b>:  Uncaught Error: Unknown named parameter")

    server.fail("webservice", dies, times=999)

    await shelf.deals()

    assert 1 == len(asked)
    assert ["upsert", "deleted"] == shelf.changes("deals", gone)
    assert [kept] == shelf.live("deals")
