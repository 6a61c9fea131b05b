"""Chargebee: whole lists first, then windows of changes, without a loss at any seam."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from connectors.base.errors import ConfigError, ProtocolError, VendorError
from connectors.base.stream import ReadRequest, Resources
from sandbox.chargebee import ChargebeeServer, ChargebeeState
from sandbox.exchange import Reply, Request, reply_json
from tests.connectors.chargebee.shelf import Shelf


async def test_the_first_load_reads_every_object_once(site: ChargebeeState, shelf: Shelf) -> None:
    """Four hundred invoices of one second over five pages: none lost at the seams."""
    made = [site.has("invoices", f"INV-{n}", total=n)["id"] for n in range(400)]

    outcome = await shelf.read("invoices")

    assert sorted(made) == sorted(outcome.ids)


async def test_what_has_no_updated_at_is_in_the_first_load(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """Records unchanged since 2016 have none; any filter by it would leave them out for ever."""
    site.has("transactions", "txn_old", updated_at=None, resource_version=None)

    assert ["txn_old"] == (await shelf.read("transactions")).ids
    assert shelf.versions["transactions"]["txn_old"][0].source_updated_at is None


async def test_the_second_run_asks_for_what_changed_and_nothing_else(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """A window over updated_at, in an order that no edit changes."""
    site.has("invoices", "INV-1")
    site.has("invoices", "INV-2", status="posted")
    site.advance(hours=2)
    await shelf.read("invoices")
    site.advance(hours=1)
    site.change("invoices", "INV-2", status="paid")
    site.has("invoices", "INV-3")
    site.advance(minutes=6)
    server.requests.clear()

    second = await shelf.read("invoices")

    assert ["INV-2", "INV-3"] == sorted(second.ids)
    assert "paid" == shelf.payload("invoices", "INV-2")["status"]
    (asked,) = [one for one in server.requests if one.path == "/api/v2/invoices"]
    since = int((site.now - timedelta(hours=1, minutes=6)).timestamp()) - 600
    until = int((site.now - timedelta(minutes=5)).timestamp())
    assert {
        "limit": ["100"],
        "sort_by[asc]": ["date"],
        "include_deleted": ["true"],
        "updated_at[between]": [f"[{since},{until}]"],
    } == dict(asked.query)


async def test_a_change_of_the_last_minutes_is_left_to_the_next_run(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """Lists show a change up to five minutes late; a cursor at now would skip it."""
    site.lag = timedelta(minutes=4)
    site.has("invoices", "INV-1", status="posted")
    site.advance(hours=1)
    await shelf.read("invoices")
    site.advance(hours=1)
    site.change("invoices", "INV-1", status="paid")
    site.advance(minutes=1)

    assert [] == (await shelf.read("invoices")).ids
    site.advance(minutes=5)
    assert ["INV-1"] == (await shelf.read("invoices")).ids


async def test_what_happened_during_the_first_load_is_found_by_the_second(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """The windows begin at the load's start, not at its end."""
    for number in range(250):
        site.has("customers", f"c{number:03}", company=f"c{number}")
    await shelf.read("customers", stop_after=1)
    site.advance(hours=3)
    site.change("customers", "c000", company="renamed")
    site.advance(hours=3)
    await shelf.read("customers", stop_after=1)
    site.advance(hours=3)
    await shelf.read("customers")
    site.advance(minutes=30)

    await shelf.read("customers")

    assert "renamed" == shelf.payload("customers", "c000")["company"]


async def test_a_load_that_was_interrupted_goes_on_where_it_stopped(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """A million transactions must not start over for one lost connection."""
    made = [site.has("transactions", f"txn_{n:03}")["id"] for n in range(350)]
    first = await shelf.read("transactions", stop_after=2)

    rest = await shelf.read("transactions")

    assert 200 == len(first.ids)
    assert 150 == len(rest.ids)
    assert sorted(made) == sorted(first.ids + rest.ids)


async def test_a_load_whose_offset_is_forgotten_starts_again(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """A refused offset is no end of the list."""
    made = {site.has("transactions", f"txn_{n:03}")["id"] for n in range(250)}
    await shelf.read("transactions", stop_after=1)
    server.forget_offsets()

    await shelf.read("transactions")

    assert made == set(shelf.upserts("transactions"))


async def test_a_window_that_was_interrupted_is_finished_before_the_next(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """Each page of a window is a resume point, and the window's end no earlier cursor."""
    await shelf.read("invoices")
    site.advance(hours=1)
    made = [site.has("invoices", f"INV-{n:03}")["id"] for n in range(250)]
    site.advance(hours=1)
    await shelf.read("invoices", stop_after=1)
    since = shelf.cursors["invoices"]["since"]
    assert "2026-10-15T06:00:00.000000Z" == since
    site.advance(hours=1)
    server.requests.clear()

    await shelf.read("invoices")

    assert sorted(made) == sorted(shelf.upserts("invoices"))
    first = next(one for one in server.requests if one.path == "/api/v2/invoices")
    assert "offset" in first.query


async def test_a_long_silence_is_read_in_windows_of_a_day(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """A window of months times out at the vendor."""
    await shelf.read("invoices")
    for number in range(10):
        site.advance(days=1)
        site.has("invoices", f"INV-{number}")
    site.advance(days=1)
    server.requests.clear()

    await shelf.read("invoices")

    assert 10 == len(shelf.upserts("invoices"))
    asked = [one for one in server.requests if one.path == "/api/v2/invoices"]
    spans = [one.query["updated_at[between]"][0].strip("[]").split(",") for one in asked]
    assert 11 <= len(spans) <= 12
    assert max(int(last) - int(first) for first, last in spans) <= 86_400
    assert all(a[1] == b[0] for a, b in pairwise(spans))


async def test_a_window_that_the_vendor_cannot_answer_is_halved(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """504 on a wide window; a narrower one is answered."""
    monkeypatch.setattr("connectors.base.client.asyncio.sleep", _at_once)
    await shelf.read("invoices")
    made = []
    for number in range(20):
        site.advance(hours=1)
        made.append(site.has("invoices", f"INV-{number}")["id"])
    site.advance(hours=1)

    def too_slow(request: Request, reply: Reply) -> Reply:
        first, last = (request.param("updated_at[between]") or "[0,0]").strip("[]").split(",")
        if int(last) - int(first) > 4 * 3600:
            return reply_json({"message": "upstream", "http_status_code": 504}, 504)
        return reply

    server.fail("invoices", too_slow, times=10_000)

    await shelf.read("invoices")

    assert sorted(made) == sorted(shelf.upserts("invoices"))


async def test_a_fault_that_no_halving_mends_is_told(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halving ends; it must not read a failing vendor as one without changes."""
    monkeypatch.setattr("connectors.base.client.asyncio.sleep", _at_once)
    await shelf.read("invoices")
    site.advance(minutes=1)
    answer = reply_json({"message": "upstream"}, 504)
    server.fail("invoices", lambda _request, _reply: answer, times=10_000)

    with pytest.raises(VendorError, match="504"):
        await shelf.read("invoices")


async def _at_once(_seconds: float) -> None:
    """No pause."""


async def test_a_deleted_object_lands_as_deleted_with_its_last_content(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """The list shows it when it is asked to; left out, a deleted invoice stays money."""
    site.has("invoices", "INV-1", total=100)
    site.has("invoices", "INV-2", total=200)
    site.advance(hours=1)
    await shelf.read("invoices")
    site.advance(hours=1)
    site.delete("invoices", "INV-1")
    site.advance(hours=1)

    await shelf.read("invoices")

    assert ["upsert", "deleted"] == shelf.changes("invoices", "INV-1")
    assert 100 == shelf.payload("invoices", "INV-1")["total"]
    assert ["INV-2"] == shelf.upserts("invoices")


async def test_an_object_deleted_before_the_first_load_lands_as_deleted(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """Its payments still name it."""
    site.has("invoices", "INV-1", deleted=True)

    await shelf.read("invoices")

    assert [("INV-1", "deleted")] == shelf.newest("invoices")


async def test_a_deleted_price_is_told_by_its_event(site: ChargebeeState, shelf: Shelf) -> None:
    """Its list does not show it any more."""
    for name in ("gold-eur", "gold-usd"):
        site.has("item_prices", name)
    site.advance(hours=1)
    await shelf.read("item_prices")
    site.advance(hours=1)
    site.delete("item_prices", "gold-eur")
    site.advance(hours=1)

    await shelf.read("item_prices")
    site.advance(minutes=1)
    again = await shelf.read("item_prices")

    assert ["upsert", "deleted"] == shelf.changes("item_prices", "gold-eur")
    assert ["gold-usd"] == shelf.upserts("item_prices")
    assert [] == again.ids


async def test_a_price_whose_id_is_used_again_lives(site: ChargebeeState, shelf: Shelf) -> None:
    """Merchants choose ids; the event of the first one's end must not bury the second."""
    site.has("item_prices", "gold-eur", price=100)
    site.advance(hours=1)
    await shelf.read("item_prices")
    site.advance(hours=1)
    site.delete("item_prices", "gold-eur")
    site.advance(minutes=1)
    site.has("item_prices", "gold-eur", price=200)
    site.advance(hours=1)

    await shelf.read("item_prices")

    assert ["gold-eur"] == shelf.upserts("item_prices")
    assert 200 == shelf.payload("item_prices", "gold-eur")["price"]


async def test_a_delete_without_an_event_is_found_by_comparing(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """Events expire, and some deletes leave none."""
    for number in range(10):
        site.has("coupons", f"C{number}")
    site.advance(hours=1)
    await shelf.read("coupons")
    site.advance(hours=1)
    site.delete("coupons", "C3")
    site.events.clear()
    site.advance(days=1)
    await shelf.read("coupons")
    assert ["upsert"] == shelf.changes("coupons", "C3")
    site.advance(days=7)

    await shelf.read("coupons")

    assert ["upsert", "deleted"] == shelf.changes("coupons", "C3")


async def test_an_archived_or_deleted_item_says_so_itself(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """Archived items still earn on running subscriptions; deleted ones are gone."""
    site.has("items", "old", status="archived")
    site.has("items", "gone", status="deleted")

    await shelf.read("items")

    assert [("gone", "deleted"), ("old", "upsert")] == sorted(shelf.newest("items"))


@pytest.mark.parametrize(
    ("catalog", "read", "skipped"),
    [
        ("v1", ("plans", "addons"), ("items", "item_prices", "item_families")),
        ("v2", ("items", "item_prices", "item_families"), ("plans", "addons")),
    ],
)
async def test_the_sites_product_catalogue_decides_what_is_read(
    site: ChargebeeState,
    server: ChargebeeServer,
    shelf: Shelf,
    catalog: str,
    read: tuple[str, ...],
    skipped: tuple[str, ...],
) -> None:
    """A site has plans and add-ons, or items; the other's lists are refused."""
    site.catalog = catalog
    for name in (*read, *skipped):
        site.has(name, "one")

    outcomes = await shelf.sync(*read, *skipped)

    assert all(["one"] == outcomes[name].ids for name in read)
    assert all([] == outcomes[name].ids for name in skipped)
    assert all("skipped: the site has Product Catalog" in outcomes[name].notes[0]
               for name in skipped)  # fmt: skip
    assert 1 == server.count("configurations$")


async def test_a_feature_that_the_site_lacks_is_skipped_until_it_was_read(
    site: ChargebeeState, shelf: Shelf
) -> None:
    """Quotes are an option; quotes that were there and are refused are a fault."""
    site.disabled.add("orders")
    (note,) = (await shelf.read("orders")).notes
    assert "not enabled for this site" in note
    await shelf.read("quotes")
    site.disabled.add("quotes")

    with pytest.raises(VendorError, match="not enabled for this site"):
        await shelf.read("quotes")


async def test_all_lines_of_a_long_invoice_land_with_its_version(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """An invoice shows the first; the others are money too."""
    server.inline_lines = 100
    lines = [{"id": f"li_{n:03}", "amount": n} for n in range(730)]
    taxes = [{"line_item_id": f"li_{n:03}", "tax_amount": n} for n in range(730)]
    site.has("invoices", "INV/7", line_items=lines, line_item_taxes=taxes)

    await shelf.read("invoices")

    assert 100 == len(shelf.payload("invoices", "INV/7")["line_items"])
    pages = [shelf.payload("invoice_line_pages", f"INV/7:{n}") for n in (1, 2, 3)]
    assert [f"li_{n:03}" for n in range(100, 730)] == [
        line["id"] for page in pages for line in page["line_items"]
    ]
    assert ["li_100", "li_400", "li_700"] == [
        page["line_item_taxes"][0]["line_item_id"] for page in pages
    ]
    version = shelf.payload("invoices", "INV/7")["resource_version"]
    assert {("INV/7", version)} == {
        (page["invoice_id"], page["resource_version"]) for page in pages
    }


async def test_an_invoice_that_vanishes_before_its_lines_does_not_end_the_stream(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """The next window says that it is deleted."""
    server.inline_lines = 1
    lines = [{"id": f"li_{n}", "amount": n} for n in range(3)]
    site.has("invoices", "INV-1", line_items=lines)
    site.has("invoices", "INV-2", line_items=lines, deleted=True)
    gone = reply_json({"message": "gone", "api_error_code": "resource_not_found"}, 404)
    server.fail("invoices/INV", lambda *_: gone, times=10)

    outcome = await shelf.read("invoices")

    assert ["INV-1", "INV-2"] == outcome.ids
    assert 1 == server.count("invoices/INV")


async def test_a_quote_that_shows_no_lines_is_asked_for_its_groups(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """Every quoted line lands, once, from wherever the vendor keeps it."""
    site.has("quotes", "Q-1", line_items=[{"id": "li_1", "amount": 5}])
    site.has("quotes", "Q-2")
    site.line_groups["Q-2"] = [{"sub_total": 7, "line_items": [{"id": "li_2", "amount": 7}]}]

    await shelf.read("quotes")

    (group,) = shelf.versions["quote_line_groups"]
    assert "Q-2" == shelf.payload("quote_line_groups", group)["quote_id"]
    assert 1 == server.count("quote_line_groups")


async def test_digits_and_unknown_fields_land_as_they_were_sent(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """Custom fields are top-level, and amounts in decimals have more digits than a double."""
    site.has(
        "subscriptions", "sub", cf_crm_deal_id="hubspot:90210", mrr=9007199254740993,
        meta_data={"deal": "4711"}, exchange_rate=1.5,
    )  # fmt: skip

    def finer(_request: Request, reply: Reply) -> Reply:
        reply.body = reply.body.replace(b":1.5", b":1.08420000000000000010")
        return reply

    server.fail("subscriptions", finer)

    await shelf.read("subscriptions")

    payload = shelf.versions["subscriptions"]["sub"][0].payload or b""
    assert b'"mrr":9007199254740993' in payload
    assert b'"exchange_rate":1.08420000000000000010' in payload
    assert b'"cf_crm_deal_id":"hubspot:90210"' in payload
    assert b'"meta_data":{"deal":"4711"}' in payload


async def test_cards_phones_and_streets_never_land(site: ChargebeeState, shelf: Shelf) -> None:
    """What opens an account or finds a home is nobody's sales data."""
    secret = "4111-secret"
    site.has(
        "customers", "c1", phone=secret, created_from_ip=secret, payment_method={"id": secret},
        billing_address={"line1": secret, "city": secret, "country": "DE", "email": "a@b.example"},
        contacts=[{"id": "k1", "email": "x@y.example", "phone": secret}],
    )  # fmt: skip
    site.has("transactions", "t1", masked_card_number=secret, iin=secret, payment_method="card",
             payment_method_details=secret, error_text=secret)  # fmt: skip

    await shelf.sync("customers", "transactions")

    landed = [record.payload for name in ("customers", "transactions")
              for past in shelf.versions[name].values() for record in past]  # fmt: skip
    assert all(secret.encode() not in (payload or b"") for payload in landed)
    assert {"country": "DE", "email": "a@b.example"} == shelf.payload("customers", "c1")[
        "billing_address"
    ]
    assert "card" == shelf.payload("transactions", "t1")["payment_method"]


async def test_the_time_of_change_is_the_vendors(site: ChargebeeState, shelf: Shelf) -> None:
    """Seconds since 1970, UTC."""
    site.has("customers", "c1")

    await shelf.read("customers")

    record = shelf.versions["customers"]["c1"][0]
    assert datetime(2026, 10, 15, 6, tzinfo=UTC) == record.source_updated_at


async def test_a_clock_of_ours_that_is_ahead_skips_nothing(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows end by the vendor's clock: what it has not lived through yet is not read."""
    await shelf.read("invoices")
    site.advance(hours=1)
    vendors_now = site.now

    def ahead(self: Shelf) -> Resources:
        return Resources("crm", str(self.state_dir), lambda: vendors_now + timedelta(hours=3))

    monkeypatch.setattr(Shelf, "resources", ahead)
    async with shelf.connector.open(shelf.configured(), shelf.resources()) as session:
        stream = shelf.connector.stream("invoices")
        ours = vendors_now + timedelta(hours=3)
        request = ReadRequest(stream, "crm", ours, shelf.cursors["invoices"])
        assert stream.read is not None
        cursors = [page.cursor async for page in stream.read(session, request)]

    (asked,) = [one for one in server.requests if "updated_at[between]" in one.query]
    until = asked.query["updated_at[between]"][0].strip("[]").split(",")[1]
    assert str(int((vendors_now - timedelta(minutes=5)).timestamp())) == until
    assert cursors[-1] is not None
    assert "2026-10-15T06:55:00.000000Z" == cursors[-1]["since"]


async def test_a_cursor_of_the_future_is_refused(shelf: Shelf) -> None:
    """Reading on from it would skip everything until then without a word."""
    await shelf.read("invoices")
    shelf.cursors["invoices"] = {"since": "2030-01-01T00:00:00.000000Z", "swept_at": None}

    with pytest.raises(ConfigError, match="in the future"):
        await shelf.read("invoices")


async def test_an_element_without_its_object_is_set_aside(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """One bad row does not cost the page."""
    site.has("customers", "c1")
    site.has("customers", "c2")

    def spoilt(_request: Request, reply: Reply) -> Reply:
        reply.body = reply.body.replace(b'{"customer":{"id":"c1"', b'{"card":{"id":"c1"', 1)
        return reply

    server.fail("customers", spoilt)

    await shelf.read("customers")

    assert ["c2"] == shelf.upserts("customers")
    assert ["an element of customers holds no customer"] == [r.reason for r in shelf.rejected]


async def test_an_id_that_is_no_text_is_set_aside(site: ChargebeeState, shelf: Shelf) -> None:
    """A record without an id of its own kind cannot be kept apart from others."""
    site.has("customers", "c2", id=7)

    await shelf.read("customers")

    assert 1 == len(shelf.rejected)
    with pytest.raises(KeyError):
        shelf.payload("customers", "7")


async def test_an_offset_that_comes_back_is_a_loop(
    site: ChargebeeState, server: ChargebeeServer, shelf: Shelf
) -> None:
    """A page that names itself must end in an error, not in an endless sync."""
    for number in range(250):
        site.has("customers", f"c{number}")
    first: list[bytes] = []

    def same(_request: Request, reply: Reply) -> Reply:
        first.append(reply.body)
        reply.body = first[0]
        return reply

    server.fail("customers", same, times=10)

    with pytest.raises(ProtocolError, match=r"twice|this page"):
        await shelf.read("customers")
