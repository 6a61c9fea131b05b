"""Zoho CRM: every change is read once, whatever ties, caps and edits do to the pages."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base.errors import AccessDenied, PaginationLoop, ProtocolError, VendorError
from sandbox.exchange import Reply, Request, reply_json
from sandbox.zoho import ZohoServer, ZohoState
from sandbox.zoho.state import amount
from tests.connectors.zoho.shelf import Shelf


def settle(crm: ZohoState) -> None:
    """What is younger than a minute is left to the next run."""
    crm.advance(minutes=2)


async def test_the_first_load_reads_every_deal_once_whatever_ties(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """D-04: An import stamps thousands with one second; offsets and pages end at 2,000 rows."""
    for number in range(4_700):
        crm.has("Deals", Deal_Name=f"deal {number}")
        if number in (99, 4_600):
            crm.advance(seconds=1)
    settle(crm)

    outcome = await shelf.deals()

    assert sorted(crm.records["Deals"]) == sorted(shelf.upserts("deals"))
    assert 4_700 == len(outcome.added)
    assert ["200", "1000", "2000", "2000"] == [
        str(text).rpartition(" ")[2] for text in server.records.queries
    ]
    assert not any("offset" in text for text in server.records.queries)


async def test_an_interrupted_first_load_goes_on_within_a_second(
    crm: ZohoState, shelf: Shelf
) -> None:
    """The place is a second and an id: nothing is read again, and nothing passed over."""
    for _ in range(500):
        crm.has("Deals")
    settle(crm)
    await shelf.sync("deals", stop_after=1)
    landed = len(shelf.versions["deals"])
    crm.advance(hours=1)

    outcome = await shelf.deals()

    assert (200, 300) == (landed, len(outcome.added))
    assert sorted(crm.records["Deals"]) == sorted(shelf.upserts("deals"))


async def test_the_next_read_takes_only_what_changed(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """Ten thousand deals must not be read again for one edit; a credit pays for it."""
    deals = [crm.has("Deals", Stage="Qualification") for _ in range(250)]
    crm.advance(hours=1)
    await shelf.deals()
    crm.advance(hours=2)
    crm.change(deals[7], Stage="Closed Won")
    settle(crm)
    server.records.queries.clear()

    outcome = await shelf.deals()

    assert [deals[7].id] == outcome.ids
    assert "Closed Won" == shelf.payload("deals", deals[7].id)["Stage"]
    assert datetime(2026, 10, 15, 9, tzinfo=UTC) == outcome.added[0].source_updated_at
    assert [200] == [int(text.rpartition(" ")[2]) for text in server.records.queries]


async def test_instants_are_compared_whatever_offset_they_are_written_with(
    crm: ZohoState, shelf: Shelf
) -> None:
    """Where summer time ends, 02:30+02:00 lies before 02:10+01:00, and the text is kept."""
    crm.now = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    first = crm.has("Deals")
    crm.now = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    second = crm.has("Deals")
    settle(crm)

    outcome = await shelf.deals()

    assert [first.id, second.id] == outcome.ids
    assert "2026-10-25T02:30:00+02:00" == shelf.payload("deals", first.id)["Modified_Time"]
    assert datetime(2026, 10, 25, 1, 10, tzinfo=UTC) == outcome.added[1].source_updated_at


async def test_what_is_younger_than_a_minute_is_the_next_runs(crm: ZohoState, shelf: Shelf) -> None:
    """Of the running second more may come, and a cursor behind it would hide them."""
    settle(crm)
    deal = crm.has("Deals")
    early = await shelf.deals()
    other = crm.has("Deals")
    settle(crm)

    late = await shelf.deals()

    assert [] == early.ids
    assert [deal.id, other.id] == late.ids


async def test_a_record_that_became_visible_late_is_found(crm: ZohoState, shelf: Shelf) -> None:
    """A record can be shown minutes after the second that it was stamped with."""
    settle(crm)
    await shelf.deals()
    late = crm.has("Deals", Modified_Time=crm.text(crm.now - timedelta(minutes=4)))
    crm.advance(seconds=30)

    outcome = await shelf.deals()

    assert [late.id] == outcome.ids


async def test_edits_while_the_pages_are_read_lose_nothing(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """D-01: an edited record leaves its place; with offsets its neighbour slips away."""
    deals = [crm.has("Deals", Amount=1) for _ in range(700)]
    settle(crm)

    def edit(_request: Request, reply: Reply) -> Reply:
        crm.advance(seconds=5)
        for deal in deals[:300]:
            crm.change(deal, Amount=2)
        return reply

    server.fail("coql", edit)
    await shelf.deals()
    settle(crm)
    await shelf.deals()

    assert sorted(crm.records["Deals"]) == sorted(shelf.upserts("deals"))
    assert {2} == {shelf.payload("deals", deal.id)["Amount"] for deal in deals[:300]}


async def test_digits_reach_landing_as_they_were_sent(crm: ZohoState, shelf: Shelf) -> None:
    """Sixteen digits do not fit a double, and neither do ids."""
    deal = crm.has("Deals", Amount=amount("99999999999999.99"), Exchange_Rate=amount("0.920000001"))
    settle(crm)

    await shelf.deals()

    text = shelf.versions["deals"][deal.id][0].payload or b""
    assert b'"Amount":99999999999999.99' in text
    assert b'"Exchange_Rate":0.920000001' in text


async def test_an_administrators_own_fields_are_read(crm: ZohoState, shelf: Shelf) -> None:
    """They have no mark in their name: the settings say which they are."""
    crm.own_fields["Deals"] = {"Region": "picklist", "Partners": "multiselectlookup"}
    deal = crm.has("Deals", Region="EMEA")
    settle(crm)

    await shelf.deals()

    assert "EMEA" == shelf.payload("deals", deal.id)["Region"]
    assert "Partners" not in shelf.payload("deals", deal.id)


async def test_fields_can_be_left_out(crm: ZohoState, shelf: Shelf) -> None:
    """What a company may not keep is not asked for."""
    shelf.settings = {"custom_fields": False, "exclude_fields": {"deals": ["Next_Step"]}}
    crm.own_fields["Deals"] = {"Salary": "currency"}
    deal = crm.has("Deals", Salary=1, Next_Step="call")
    settle(crm)

    await shelf.deals()

    assert not {"Salary", "Next_Step"} & set(shelf.payload("deals", deal.id))


async def test_more_fields_than_a_query_shows_take_a_second_query(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """A row that was edited between the two is met again, whole."""
    crm.own_fields["Deals"] = {f"Own_{number:03d}": "text" for number in range(520)}
    deals = [crm.has("Deals", Own_001="a", Own_519="b", Amount=amount("0.10")) for _ in range(3)]
    settle(crm)

    def edit(_request: Request, reply: Reply) -> Reply:
        crm.change(deals[1], Own_519="c", Modified_Time="2026-10-15T08:00:30+02:00")
        return reply

    server.fail("coql", edit)
    first = await shelf.deals()
    settle(crm)
    second = await shelf.deals()

    assert [deals[0].id, deals[2].id] == first.ids
    assert [deals[1].id] == second.ids
    row = shelf.payload("deals", deals[1].id)
    assert ("a", "c") == (row["Own_001"], row["Own_519"])
    assert b'"Amount":0.10' in (shelf.versions["deals"][deals[0].id][0].payload or b"")


async def test_a_field_that_queries_refuse_is_left_out_and_said(
    crm: ZohoState, shelf: Shelf
) -> None:
    """Some types cannot be selected, and only the refusal tells which."""
    crm.own_fields["Deals"] = {"Odd": "text"}
    crm.unqueryable = {"Odd"}
    deal = crm.has("Deals", Odd="x")
    settle(crm)

    outcome = await shelf.deals()

    assert [deal.id] == outcome.ids
    assert [True] == ["the field Odd of Deals is not read" in note for note in outcome.notes]


async def test_a_query_that_refuses_an_amount_fails_the_stream(
    crm: ZohoState, shelf: Shelf
) -> None:
    """Deals without amounts would read as deals of nothing."""
    crm.unqueryable = {"Amount"}
    crm.has("Deals")
    settle(crm)

    with pytest.raises(VendorError, match="INVALID_QUERY"):
        await shelf.deals()


async def test_a_hidden_amount_fails_the_stream(crm: ZohoState, shelf: Shelf) -> None:
    """A profile that hides a field hides it without a word."""
    crm.hidden_fields = {("Deals", "Amount"), ("Quotes", "Grand_Total")}
    settle(crm)

    outcomes = await shelf.sync("deals", "quotes", "contacts")

    assert isinstance(outcomes["deals"].error, AccessDenied)
    assert "the fields Amount of Deals" in str(outcomes["deals"].error)
    assert isinstance(outcomes["quotes"].error, AccessDenied)
    assert outcomes["contacts"].error is None


@pytest.mark.parametrize("stream", ["quotes", "sales_orders", "invoices", "purchase_orders"])
async def test_documents_come_with_their_lines(crm: ZohoState, shelf: Shelf, stream: str) -> None:
    """A query cannot show a subform: the documents are fetched one by one."""
    module = {
        "quotes": "Quotes",
        "sales_orders": "Sales_Orders",
        "invoices": "Invoices",
        "purchase_orders": "Purchase_Orders",
    }[stream]
    lines = [{"Quantity": amount("2"), "Net_Total": amount("19.90")}, {"Quantity": amount("1")}]
    document = crm.has(module, Subject="S", Grand_Total=amount("19.90"), lines=lines)
    settle(crm)
    await shelf.sync(stream)
    crm.advance(hours=1)
    crm.change(document, lines=lines[:1])
    settle(crm)

    outcome = (await shelf.sync(stream))[stream]

    key = {"quotes": "Quoted", "sales_orders": "Ordered", "invoices": "Invoiced"}.get(stream)
    shown = [
        json.loads(version.payload or b"{}")[f"{key or 'Purchase'}_Items"]
        for version in shelf.versions[stream][document.id]
    ]
    assert [2, 1] == [len(one) for one in shown]
    assert [1, 2] == [line["Sequence_Number"] for line in shown[0]]
    assert [document.id] == outcome.ids


async def test_a_quote_with_more_lines_than_an_answer_shows_is_whole(
    crm: ZohoState, shelf: Shelf
) -> None:
    """$has_more says that the subform goes on."""
    quote = crm.has("Quotes", lines=[{"Quantity": number} for number in range(450)])
    settle(crm)

    await shelf.sync("quotes")

    lines = shelf.payload("quotes", quote.id)["Quoted_Items"]
    assert list(range(450)) == [line["Quantity"] for line in lines]


async def test_what_the_reader_may_do_with_a_document_is_no_change(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """$locked_for_me tells of the one who asks, not of the quote."""
    quote = crm.has("Quotes")
    settle(crm)
    await shelf.sync("quotes")

    def locked(_request: Request, reply: Reply) -> Reply:
        body = json.loads(reply.body)
        body["data"][0]["$locked_for_me"] = True
        return reply_json(body)

    server.fail(f"Quotes/{quote.id}", locked)
    outcome = (await shelf.sync("quotes"))["quotes"]

    assert [] == outcome.ids


async def test_a_document_that_cannot_be_shown_is_set_aside(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """One broken quote does not hide the others."""
    quotes = [crm.has("Quotes") for _ in range(3)]
    settle(crm)
    server.fail(f"Quotes/{quotes[1].id}", lambda *_: reply_json({"code": "X"}, 500), times=9)

    outcome = (await shelf.sync("quotes"))["quotes"]

    assert [quotes[0].id, quotes[2].id] == outcome.ids
    assert [quotes[1].id] == [one.record_id for one in shelf.rejected]


async def test_a_query_whose_answer_does_not_move_on_is_a_loop(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """H-18: A server that repeats its page would be read for ever."""
    for _ in range(300):
        crm.has("Deals")
    settle(crm)
    pages: list[Reply] = []

    def repeat(_request: Request, reply: Reply) -> Reply:
        pages.append(reply)
        return pages[0]

    server.fail("coql", repeat, times=9)

    with pytest.raises(PaginationLoop, match=r"does not move on|outside"):
        await shelf.deals()


async def test_a_promise_of_more_after_an_empty_page_is_a_loop(
    server: ZohoServer, shelf: Shelf
) -> None:
    """Reading as "no more" would lose the rest without a word."""
    body = {"data": [], "info": {"count": 0, "more_records": True}}
    server.fail("coql", lambda *_: reply_json(body))

    with pytest.raises(PaginationLoop, match="without rows"):
        await shelf.deals()


async def test_rows_outside_of_the_window_are_refused(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """A server that drops a condition would show everything as changed, or hide changes."""
    deal = crm.has("Deals")
    crm.advance(hours=1)
    await shelf.deals()
    crm.advance(days=1)
    row = {"id": deal.id, "Modified_Time": "2026-10-15T08:00:00+02:00"}
    body = {"data": [row], "info": {"count": 1, "more_records": False}}
    server.fail("coql", lambda *_: reply_json(body))

    with pytest.raises(PaginationLoop, match="outside of what was asked"):
        await shelf.deals()


async def test_a_record_without_a_clock_is_refused(server: ZohoServer, shelf: Shelf) -> None:
    """Its place in the walk is unknown."""
    body = {"data": [{"id": "1", "Modified_Time": None}], "info": {"more_records": False}}
    server.fail("coql", lambda *_: reply_json(body))

    with pytest.raises(ProtocolError, match="unreadable"):
        await shelf.deals()


async def test_queries_keep_to_the_vendors_grammar(
    crm: ZohoState, server: ZohoServer, shelf: Shelf
) -> None:
    """Three conditions have to be nested by twos, or the vendor refuses them."""
    deals = [crm.has("Deals") for _ in range(201)]
    settle(crm)
    await shelf.deals()
    crm.advance(hours=1)
    for deal in deals:
        crm.change(deal)
    settle(crm)
    server.records.queries.clear()

    await shelf.deals()

    where = [re.search(r"where (.*) order", text) for text in server.records.queries]
    end, at = "2026-10-15T07:03:00+00:00", "2026-10-15T07:02:00+00:00"
    window = f"(Modified_Time >= '{at}' and Modified_Time < '{end}')"
    assert [
        f"(Modified_Time >= '2026-10-15T05:56:00+00:00' and Modified_Time < '{end}')",
        f"({window} and (Modified_Time > '{at}' or id > {deals[199].id}))",
    ] == [found.group(1) for found in where if found]


async def test_an_own_module_is_read_under_its_name(crm: ZohoState, shelf: Shelf) -> None:
    """What an administrator made is read as any other module, deletes among it."""
    shelf.settings = {"custom_modules": ["Projects", "Plants"]}
    crm.own_modules = ["Projects", "Plants"]
    project, plant = crm.has("Projects", Name="P"), crm.has("Plants", Name="Q")
    settle(crm)
    await shelf.sync("custom_records")
    crm.advance(days=8)
    crm.delete(project)

    outcome = (await shelf.sync("custom_records"))["custom_records"]

    assert outcome.error is None
    assert ["upsert", "deleted"] == shelf.changes("custom_records", f"Projects:{project.id}")
    assert ["upsert"] == shelf.changes("custom_records", f"Plants:{plant.id}")
    assert "Plants" == shelf.payload("custom_records", f"Plants:{plant.id}")["$module"]
