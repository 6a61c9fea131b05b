"""Vtiger: every change is read once, whatever ties, joins and edits do to the pages."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sandbox.exchange import Reply, Request, reply_json
from sandbox.vtiger import Login, VtigerServer, VtigerState
from tests.connectors.vtiger.shelf import Shelf


async def test_the_first_load_reads_every_deal_once_whatever_ties(
    crm: VtigerState, shelf: Shelf
) -> None:
    """D-04: An import stamps hundreds of records with one second, four pages of them here."""
    for number in range(430):
        crm.has("Potentials", potentialname=f"deal {number}")
        if number in (9, 419):
            crm.advance(seconds=1)

    outcome = await shelf.deals()

    assert crm.ids("Potentials") == shelf.live("deals")
    assert 430 == len(outcome.added)
    assert 430 == outcome.pages[0].total


async def test_the_next_read_takes_only_what_changed(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """Ten thousand deals must not be read again for one edit."""
    deals = [crm.has("Potentials", sales_stage="Prospecting") for _ in range(250)]
    await shelf.deals()
    crm.advance(hours=3)
    crm.change(deals[7], sales_stage="Closed Won")
    server.requests.clear()

    outcome = await shelf.deals()

    assert [deals[7]] == outcome.ids
    assert "Closed Won" == shelf.payload("deals", deals[7])["sales_stage"]
    assert datetime(2026, 10, 15, 9, tzinfo=UTC) == outcome.added[0].source_updated_at
    # The last second of the first load is met again, all 250 of it.
    assert 12 >= server.count("webservice")


async def test_a_change_within_a_second_already_read_is_found(
    crm: VtigerState, shelf: Shelf
) -> None:
    """Clocks of whole seconds: the second edit leaves no mark that is newer."""
    deal = crm.has("Potentials", sales_stage="Prospecting")
    await shelf.deals()
    crm.change(deal, sales_stage="Qualification")

    outcome = await shelf.deals()

    assert [deal] == outcome.ids


async def test_a_record_that_became_visible_late_is_found(crm: VtigerState, shelf: Shelf) -> None:
    """A transaction may commit minutes after the second that it stamped."""
    crm.has("Potentials")
    await shelf.deals()
    late = crm.has("Potentials", at=crm.now - timedelta(minutes=9))

    outcome = await shelf.deals()

    assert [late] == outcome.ids


async def test_edits_while_the_pages_are_read_lose_nothing(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """D-01: an edited record moves to the end; with offsets its neighbour slips away."""
    deals = []
    for _ in range(350):
        deals.append(crm.has("Potentials", amount="1"))
        crm.advance(seconds=1)

    def edit(_request: Request, reply: Reply) -> Reply:
        crm.advance(seconds=1)
        crm.change(deals[crm.now.second], amount="2")
        return reply

    server.fail("webservice", edit, times=9)

    await shelf.deals()

    assert crm.ids("Potentials") == shelf.live("deals")
    assert all(
        crm.entry(deal).row["amount"] == shelf.payload("deals", deal)["amount"] for deal in deals
    )


async def test_one_record_of_the_far_future_hides_no_later_edit(
    crm: VtigerState, shelf: Shelf
) -> None:
    """H-17: a wrong clock or an import stamps 2050; the watermark must not follow it there."""
    future = crm.has("Potentials", at=datetime(2050, 1, 1, tzinfo=UTC))
    deal = crm.has("Potentials", amount="1")
    await shelf.deals()
    crm.advance(hours=2)
    crm.change(deal, amount="2")

    outcome = await shelf.deals()

    assert [deal] == outcome.ids
    assert [future, deal] == shelf.live("deals")
    assert shelf.cursors["deals"]["since"] < "2026-10-16"


async def test_a_great_import_is_not_read_again_at_every_sync(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """Looking back once more is enough where nothing newer comes; late rows are found by then."""
    for _ in range(300):
        crm.has("Potentials")
        crm.advance(seconds=1)
    await shelf.deals()
    crm.advance(minutes=4)
    late = crm.has("Potentials", at=crm.now - timedelta(minutes=6))
    crm.advance(minutes=10)
    looked_back = await shelf.deals()
    crm.advance(minutes=1)
    server.requests.clear()

    settled = await shelf.deals()
    edited = crm.ids("Potentials")[3]
    crm.change(edited, amount="7")
    after = await shelf.deals()

    assert [late] == looked_back.ids
    assert 0 == sum(len(page.records) for page in settled.pages)
    assert [edited] == after.ids


async def test_reading_ends_where_people_edit_faster_than_we_read(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """An edit after every answer must not keep the reader running after it for ever."""
    deals = []
    for _ in range(120):
        deals.append(crm.has("Potentials", amount="1"))
        crm.advance(seconds=1)

    def edit(_request: Request, reply: Reply) -> Reply:
        crm.advance(seconds=1)
        crm.change(deals[server.count("webservice") % 120], amount="2")
        return reply

    server.fail("webservice", edit, times=100_000)

    await shelf.deals()
    server.faults.clear()
    await shelf.deals()

    assert 80 >= server.count("webservice")
    assert all(
        crm.entry(deal).row["amount"] == shelf.payload("deals", deal)["amount"] for deal in deals
    )


async def test_an_interrupted_load_goes_on_where_it_stopped(crm: VtigerState, shelf: Shelf) -> None:
    """A million records must not start over for one lost connection."""
    for _ in range(350):
        crm.has("Potentials")
        crm.advance(minutes=11)
    first = await shelf.deals(stop_after=2)

    rest = await shelf.deals()

    assert crm.ids("Potentials") == shelf.live("deals")
    assert 200 > len(rest.added) + len(first.added) - 350


@pytest.mark.parametrize("copies", [1, 3, 150])
async def test_pages_that_joins_made_short_are_not_the_end(
    crm: VtigerState, shelf: Shelf, copies: int
) -> None:
    """An event with several contacts takes several rows of the LIMIT and shows once."""
    for number in range(60):
        event = crm.has("Events", subject=str(number))
        crm.entry(event).copies = copies
        crm.advance(seconds=number % 3)

    await shelf.sync("events")

    assert crm.ids("Events") == shelf.live("events")


async def test_a_page_of_hidden_records_is_not_the_end(crm: VtigerState, shelf: Shelf) -> None:
    """Permissions are applied after the LIMIT: a page may be empty and more may follow."""
    deals = []
    for _ in range(260):
        deals.append(crm.has("Potentials"))
        crm.advance(seconds=1)
    crm.logins["rep"] = Login("rep", "key-of-a-rep", "19x1", is_admin=False)
    crm.logins["rep"].hidden = set(deals[100:200])
    shelf.settings = {"username": "rep", "access_key": "key-of-a-rep"}

    await shelf.deals()

    assert deals[:100] + deals[200:] == shelf.live("deals")


async def test_documents_land_with_their_lines_and_only_when_they_changed(
    crm: VtigerState, shelf: Shelf
) -> None:
    """A query shows one line of many and says not which; only the whole document is true."""
    quote = crm.has("Quotes", subject="Offer", hdnGrandTotal="300.00000000")
    crm.with_lines(
        quote,
        {"id": "50x1", "productid": "14x9", "quantity": "2.000", "listprice": "100.00"},
        {"id": "50x2", "productid": "14x8", "quantity": "1.000", "listprice": "100.00"},
    )
    await shelf.sync("quotes")
    crm.advance(hours=1)
    crm.with_lines(quote, {"id": "50x3", "productid": "14x9", "quantity": "3.000"})
    crm.change(quote)

    outcome = (await shelf.sync("quotes"))["quotes"]
    again = (await shelf.sync("quotes"))["quotes"]

    assert ["2.000", "1.000"] == [
        line["quantity"]
        for line in json.loads(shelf.versions["quotes"][quote][0].payload or b"")["LineItems"]
    ]
    assert ["3.000"] == [line["quantity"] for line in shelf.payload("quotes", quote)["LineItems"]]
    assert [quote] == outcome.ids
    assert [] == again.ids


async def test_a_document_that_cannot_be_shown_holds_no_other_back(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """D-17: PHP dies of one broken line; the document is asked for again when ids are compared."""
    good, poison = crm.has("Quotes", subject="good"), crm.has("Quotes", subject="poison")

    def dies(request: Request, reply: Reply) -> Reply:
        code = {"code": "DATABASE_QUERY_ERROR", "message": "x"}
        is_it = request.param("id") == poison
        return reply_json({"success": False, "error": code}) if is_it else reply

    fault = server.fail("webservice", dies, times=10_000)
    first = (await shelf.sync("quotes"))["quotes"]
    fault.times = 0
    crm.advance(days=8)
    await shelf.sync("quotes")

    assert first.error is None
    assert [poison] == [one.record_id for one in shelf.rejected]
    assert [good, poison] == shelf.live("quotes")


async def test_a_module_that_cannot_be_described_costs_no_record(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """Only the stream of descriptions fails, after all others; secrets stay out all the same."""
    user = crm.has("Users", user_name="ada", status="Active", phone_home="canary")

    def dies(request: Request, reply: Reply) -> Reply:
        code = {"code": "UNKNOWN_OPERATION", "message": "x"}
        is_it = request.param("elementType") == "Users"
        return reply_json({"success": False, "error": code}) if is_it else reply

    server.fail("webservice", dies, times=10_000)

    outcomes = await shelf.sync("users", "modules")

    assert outcomes["users"].error is None
    assert "ada" == shelf.payload("users", user)["user_name"]
    assert "phone_home" not in shelf.payload("users", user)
    assert "Potentials" in shelf.versions["modules"]
    assert "UNKNOWN_OPERATION" in str(outcomes["modules"].error)


async def test_a_count_that_kills_the_server_costs_only_the_total(
    crm: VtigerState, server: VtigerServer, shelf: Shelf
) -> None:
    """Progress is a nicety; some releases die of the question."""
    deal = crm.has("Potentials")

    def dies(request: Request, reply: Reply) -> Reply:
        is_it = "count(" in (request.param("query") or "")
        return Reply(500, b"", "text/html") if is_it else reply

    server.fail("webservice", dies, times=10_000)

    outcome = await shelf.deals()

    assert [deal] == shelf.live("deals")
    assert outcome.pages[0].total is None


async def test_custom_fields_land_with_the_record_and_their_label_beside_it(
    crm: VtigerState, shelf: Shelf
) -> None:
    """Nobody configures a field of their own twice."""
    crm.custom["Potentials"]["cf_901"] = "Region"
    crm.picklists["Potentials", "sales_stage"] = ["Prospecting", "Closed Won"]
    deal = crm.has("Potentials", cf_901="EMEA")

    await shelf.sync("deals", "modules")

    assert "EMEA" == shelf.payload("deals", deal)["cf_901"]
    fields = {one["name"]: one for one in shelf.payload("modules", "Potentials")["fields"]}
    assert "Region" == fields["cf_901"]["label"]
    stages = fields["sales_stage"]["type"]["picklistValues"]
    assert ["Prospecting", "Closed Won"] == [one["value"] for one in stages]


async def test_no_secret_of_a_user_and_no_text_of_a_mail_lands(
    crm: VtigerState, shelf: Shelf
) -> None:
    """A warehouse is read by many; an access key opens the CRM to each of them."""
    user = crm.has(
        "Users",
        user_name="ada",
        status="Active",
        accesskey="canary-key",
        user_password="canary-hash",
        phone_home="canary-phone",
        email1="ada@example.com",
    )
    mail = crm.has("Emails", subject="Hello", description="canary-text")

    await shelf.sync("users", "emails")

    assert "ada@example.com" == shelf.payload("users", user)["email1"]
    assert "Hello" == shelf.payload("emails", mail)["subject"]
    landed = [one.payload for past in shelf.versions.values() for v in past.values() for one in v]
    assert b"canary" not in b"".join(one or b"" for one in landed)


async def test_a_deactivated_user_stays_as_archived_and_comes_back(
    crm: VtigerState, shelf: Shelf
) -> None:
    """The server hides them; their deals still bear their id."""
    user = crm.has("Users", user_name="ada", status="Active")
    await shelf.sync("users")
    crm.entry(user).row["status"] = "Inactive"
    await shelf.sync("users")
    await shelf.sync("users")
    crm.entry(user).row["status"] = "Active"

    await shelf.sync("users")

    assert ["upsert", "archived", "upsert"] == shelf.changes("users", user)


async def test_groups_and_currencies_are_read_whole(crm: VtigerState, shelf: Shelf) -> None:
    """A deal may belong to a group; a rate may vanish."""
    group = crm.has("Groups", groupname="Sales")
    euro = crm.has("Currency", currency_code="EUR", conversion_rate="1.00000")
    dollar = crm.has("Currency", currency_code="USD", conversion_rate="1.08000")
    await shelf.sync("groups", "currencies")
    crm.entry(dollar).is_deleted = True

    await shelf.sync("groups", "currencies")

    assert [group] == shelf.live("groups")
    assert [euro] == shelf.live("currencies")


async def test_the_clock_of_another_zone_is_read_as_its_own(crm: VtigerState, shelf: Shelf) -> None:
    """The database says no zone; an hour that the clock shows twice is left unsaid."""
    crm.zone = ZoneInfo("Europe/Berlin")
    shelf.settings = {"time_zone": "Europe/Berlin"}
    summer = crm.has("Potentials", at=datetime(2026, 7, 1, 10, tzinfo=UTC))
    twice = crm.has("Potentials", at=datetime(2025, 10, 26, 0, 30, tzinfo=UTC))

    await shelf.deals()

    clocks = {one: shelf.versions["deals"][one][-1].source_updated_at for one in (summer, twice)}
    assert {summer: datetime(2026, 7, 1, 10, tzinfo=UTC), twice: None} == clocks


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
async def test_a_zone_that_nobody_configured_costs_no_change(
    crm: VtigerState, shelf: Shelf, zone: str
) -> None:
    """The watermark is the server's own text: our clock has no say in what is read."""
    crm.zone = ZoneInfo(zone)
    deal = crm.has("Potentials", amount="1")
    await shelf.deals()
    crm.advance(minutes=30)
    crm.change(deal, amount="2")

    outcome = await shelf.deals()

    assert [deal] == outcome.ids
