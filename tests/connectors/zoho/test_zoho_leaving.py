"""Zoho CRM: deleted, merged, converted, restored and hidden records are told apart."""

import json

import pytest

from connectors.base.errors import CursorExpired, PaginationLoop
from connectors.zoho import leaving
from sandbox.exchange import reply_json
from sandbox.zoho import ZohoServer, ZohoState
from tests.connectors.zoho.shelf import Shelf


def settle(crm: ZohoState) -> None:
    crm.advance(minutes=2)


@pytest.mark.parametrize("kind", ["recycle", "permanent"])
async def test_a_deleted_deal_is_deleted(crm: ZohoState, shelf: Shelf, kind: str) -> None:
    """No query shows it: a lost delete is a phantom deal."""
    kept, gone = crm.has("Deals"), crm.has("Deals")
    settle(crm)
    await shelf.deals()
    crm.advance(hours=1)
    crm.delete(gone, kind=kind)
    deleted_at = crm.now
    settle(crm)

    await shelf.deals()
    again = await shelf.deals()

    assert ["upsert", "deleted"] == shelf.changes("deals", gone.id)
    assert deleted_at == shelf.versions["deals"][gone.id][-1].source_updated_at
    assert [kept.id] == shelf.upserts("deals")
    assert [] == again.ids


async def test_a_thousand_deletes_are_all_found(crm: ZohoState, shelf: Shelf) -> None:
    """The list has pages, and its answer is confirmed a hundred ids at a time."""
    deals = [crm.has("Deals") for _ in range(1_000)]
    settle(crm)
    await shelf.deals()
    crm.advance(hours=1)
    for deal in deals:
        crm.delete(deal)
    settle(crm)

    outcome = await shelf.deals()

    assert 1_000 == len(outcome.added)
    assert [] == shelf.upserts("deals")


async def test_a_list_of_deletes_that_is_cut_short_leads_to_a_comparison(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """Beyond 2,000 the list of deletes goes no further, although there is more."""
    deals = [crm.has("Deals") for _ in range(900)]
    settle(crm)
    await shelf.deals()
    crm.advance(hours=1)
    for deal in deals[:500]:
        crm.delete(deal)
    settle(crm)
    server.records.deleted_reach = 400

    await shelf.deals()

    assert sorted(deal.id for deal in deals[500:]) == sorted(shelf.upserts("deals"))


async def test_a_restored_deal_is_back(crm: ZohoState, shelf: Shelf) -> None:
    """It comes out of the recycle bin with a new Modified_Time."""
    deal = crm.has("Deals")
    settle(crm)
    await shelf.deals()
    crm.delete(deal)
    settle(crm)
    await shelf.deals()
    crm.advance(hours=1)
    crm.restore(deal)
    settle(crm)

    await shelf.deals()

    assert ["upsert", "deleted", "upsert"] == shelf.changes("deals", deal.id)


async def test_a_deal_that_is_listed_as_deleted_but_shown_is_there(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """The list of deletes may lag behind a restore; a query has the last word."""
    deal = crm.has("Deals")
    settle(crm)
    await shelf.deals()
    crm.advance(hours=1)
    row = {"id": deal.id, "type": "recycle", "deleted_time": "2026-10-15T09:00:00+02:00"}
    server.fail("Deals/deleted", lambda *_: reply_json({"data": [row], "info": {}}))

    outcome = await shelf.deals()

    assert [] == outcome.ids


async def test_a_merged_contact_is_gone_and_its_survivor_changed(
    crm: ZohoState, shelf: Shelf
) -> None:
    """Nothing names the survivor: the loser is deleted, and the winner has a new version."""
    winner, loser = crm.has("Contacts", Last_Name="Poe"), crm.has("Contacts", Last_Name="Po")
    settle(crm)
    await shelf.sync("contacts")
    crm.advance(hours=1)
    crm.merge(winner, loser)
    settle(crm)

    await shelf.sync("contacts")

    assert ["upsert", "deleted"] == shelf.changes("contacts", loser.id)
    assert ["upsert", "upsert"] == shelf.changes("contacts", winner.id)


@pytest.mark.parametrize("shown", [True, False], ids=["queries show it", "queries hide it"])
async def test_a_converted_lead_is_no_deleted_lead(
    crm: ZohoState, server: ZohoServer, shelf: Shelf, shown: bool
) -> None:
    """It leaves the list of leads, and tells what it became."""
    server.records.queries_show_converted = shown
    lead, other = crm.has("Leads", Last_Name="Poe"), crm.has("Leads")
    settle(crm)
    await shelf.sync("leads")
    crm.advance(days=8)
    deal = crm.has("Deals", Deal_Name="D")
    crm.convert(lead, deal=deal)
    settle(crm)

    await shelf.sync("leads")
    again = (await shelf.sync("leads"))["leads"]

    assert ["upsert", "converted"] == shelf.changes("leads", lead.id)
    assert deal.id == shelf.payload("leads", lead.id)["Converted_Deal"]["id"]
    assert "Poe" == shelf.payload("leads", lead.id)["Last_Name"]
    assert ["upsert"] == shelf.changes("leads", other.id)
    assert [] == again.ids


async def test_a_converted_lead_that_is_deleted_is_deleted(crm: ZohoState, shelf: Shelf) -> None:
    """It is in no list of leads, but landing knows it."""
    lead = crm.has("Leads")
    settle(crm)
    await shelf.sync("leads")
    crm.convert(lead)
    settle(crm)
    await shelf.sync("leads")
    crm.advance(hours=1)
    crm.delete(lead)
    settle(crm)

    await shelf.sync("leads")

    assert ["upsert", "converted", "deleted"] == shelf.changes("leads", lead.id)


async def test_converted_leads_are_read_past_the_end_of_a_token(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """A chain of page tokens ends at 100,000 records; here at 400, with 300 in one second."""
    server.records.token_reach = 400
    for number in range(900):
        crm.convert(crm.has("Leads"))
        if not 350 <= number < 650:
            crm.advance(seconds=1)
    settle(crm)

    outcome = (await shelf.sync("leads"))["leads"]

    assert outcome.error is None
    assert sorted(crm.records["Leads"]) == sorted(shelf.versions["leads"])
    assert {"converted"} == {change for _, change in shelf.newest("leads")}


async def test_converted_leads_of_one_second_beyond_a_token_are_a_loop(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """Asked anew from the same second the list would begin again for ever."""
    server.records.token_reach = 400
    for _ in range(900):
        crm.convert(crm.has("Leads"))
    settle(crm)

    outcome = (await shelf.sync("leads"))["leads"]

    assert "PAGINATION_LIMIT_EXCEEDED" in str(outcome.error)


async def test_a_converted_lead_has_all_its_fields(crm: ZohoState, shelf: Shelf) -> None:
    """A list shows 50 fields: the others are asked for by id."""
    crm.own_fields["Leads"] = {f"Own_{number:02d}": "text" for number in range(90)}
    lead = crm.has("Leads", Own_00="a", Own_89="b", Company="Acme")
    crm.convert(lead)
    settle(crm)

    await shelf.sync("leads")

    row = shelf.payload("leads", lead.id)
    assert ("a", "b", "Acme") == (row["Own_00"], row["Own_89"], row["Company"])


async def test_a_list_of_converted_leads_that_does_not_move_on_is_a_loop(
    server: ZohoServer, shelf: Shelf
) -> None:
    """A token that names its own page."""
    row = {"id": "1", "Modified_Time": "2026-10-15T08:00:00+02:00"}
    info = {"more_records": True, "next_page_token": "same"}
    server.fail("v8/Leads$", lambda *_: reply_json({"data": [row], "info": info}), times=9)

    outcome = (await shelf.sync("leads"))["leads"]

    assert isinstance(outcome.error, PaginationLoop)


async def test_a_record_that_is_closed_to_us_is_not_deleted(crm: ZohoState, shelf: Shelf) -> None:
    """A shared record that is shared no more still exists: its money is not gone."""
    deals = [crm.has("Deals") for _ in range(5)]
    settle(crm)
    await shelf.deals()
    crm.advance(days=8)
    deals[2].is_closed = True

    await shelf.deals()
    again = await shelf.deals()

    assert ["upsert", "access_lost"] == shelf.changes("deals", deals[2].id)
    assert [] == again.ids


async def test_a_record_that_vanished_untold_is_found_by_the_comparison(
    crm: ZohoState, shelf: Shelf
) -> None:
    """The list of permanent deletes is kept for months, not for ever."""
    deals = [crm.has("Deals") for _ in range(5)]
    settle(crm)
    await shelf.deals()
    del crm.records["Deals"][deals[0].id]
    crm.advance(days=6)
    await shelf.deals()
    before = shelf.changes("deals", deals[0].id)
    crm.advance(days=2)

    await shelf.deals()

    assert ["upsert"] == before
    assert ["upsert", "deleted"] == shelf.changes("deals", deals[0].id)


async def test_a_record_that_appears_without_a_mark_is_read(crm: ZohoState, shelf: Shelf) -> None:
    """A record that is shared with us now keeps its old Modified_Time."""
    deal = crm.has("Deals", Amount=7)
    deal.is_closed = True
    crm.advance(hours=1)
    await shelf.deals()
    deal.is_closed = False
    crm.advance(days=8)

    outcome = await shelf.deals()

    assert [deal.id] == outcome.ids
    assert 7 == shelf.payload("deals", deal.id)["Amount"]


async def test_thousands_that_appear_without_a_mark_are_read_whole(
    crm: ZohoState, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full read costs less than asking for each."""
    monkeypatch.setattr(leaving, "REREAD_AT_ONCE", 3)
    hidden = [crm.has("Deals") for _ in range(4)]
    for deal in hidden:
        deal.is_closed = True
    crm.advance(hours=1)
    await shelf.deals()
    for deal in hidden:
        deal.is_closed = False
    crm.advance(days=8)

    with pytest.raises(CursorExpired, match="4 records of Deals"):
        await shelf.deals()


async def test_a_full_read_compares_too(crm: ZohoState, shelf: Shelf) -> None:
    """Whoever asks for everything gets the deletes as well."""
    deals = [crm.has("Deals") for _ in range(3)]
    settle(crm)
    await shelf.deals()
    del crm.records["Deals"][deals[0].id]

    await shelf.deals(full=True)

    assert ["upsert", "deleted"] == shelf.changes("deals", deals[0].id)


async def test_deletes_are_asked_for_since_the_last_read(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """The list goes back months; If-Modified-Since keeps it short."""
    settle(crm)
    await shelf.deals()
    crm.advance(hours=1)
    await shelf.deals()

    asked = [one for one in server.requests if one.path.endswith("Deals/deleted")]

    assert ["2026-10-15T05:52:00+00:00"] == [one.headers["if-modified-since"] for one in asked]
    assert ["all"] == [one.param("type") for one in asked]


async def test_a_list_of_deletes_that_goes_round_is_a_loop(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """The same page twice, with more promised."""
    settle(crm)
    await shelf.deals()
    body = {"data": [{"id": "1"}], "info": {"more_records": True}}
    server.fail("Deals/deleted", lambda *_: reply_json(body), times=9)

    with pytest.raises(PaginationLoop, match="page 2 does not move on"):
        await shelf.deals()


async def test_landed_leads_keep_their_shape(crm: ZohoState, shelf: Shelf) -> None:
    """A payload is JSON that everybody reads alike."""
    lead = crm.has("Leads", Company="Ä \u2028")
    settle(crm)

    await shelf.sync("leads")

    text = shelf.versions["leads"][lead.id][0].payload or b""
    assert "Ä \u2028" == json.loads(text)["Company"]
