"""Xero: what is read, in which order, and that nothing slips by while it changes."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.base.errors import AccessDenied, ConfigError, VendorError
from connectors.xero.kinds import KINDS
from connectors.xero.payload import instant
from sandbox.exchange import Reply, Request
from sandbox.xero import TENANT, XeroServer, XeroState
from tests.connectors.xero.shelf import Shelf, invoice, many

LISTS = r"/api\.xro/2\.0/"


def asked(server: XeroServer, path: str = "Invoices") -> list[Request]:
    """The requests of one list, in order."""
    return [one for one in server.requests if one.path.endswith(f"/{path}")]


# What lands.


async def test_an_invoice_lands_as_it_stands_there(shelf: Shelf, books: XeroState) -> None:
    """Lines come only with a page, and the fourth decimal only where it is asked for."""
    one = invoice(books, Reference="PO-1")

    await shelf.read()

    record = shelf.versions["invoices"][one][-1]
    assert b'"UnitAmount":12.3456' in (record.payload or b"")
    assert b'"Total":119.00' in (record.payload or b"")
    assert books.now == record.source_updated_at


async def test_sales_and_bills_land_side_by_side(shelf: Shelf, books: XeroState) -> None:
    """They share one list; which is which says the type."""
    ids = {invoice(books), invoice(books, Type="ACCPAY")}

    await shelf.read()

    assert ids == set(shelf.upserts("invoices"))


async def test_what_is_nobodys_business_never_lands(shelf: Shelf, books: XeroState) -> None:
    """Bank details, tax numbers, phones and streets, also deep inside an invoice."""
    private = {
        "BankAccountDetails": "SECRET",
        "TaxNumber": "SECRET",
        "Phones": [{"PhoneNumber": "SECRET"}],
        "Addresses": [{"AddressLine1": "SECRET", "Country": "DE"}],
        "BatchPayments": {"BankAccountNumber": "SECRET"},
        "XeroNetworkKey": "SECRET",
    }
    contact = books.put("Contacts", {"Name": "Acme", "ContactStatus": "ACTIVE", **private})
    invoice(books, Contact={"ContactID": contact, **private})

    await shelf.sync("contacts", "invoices")

    landed = [past[-1].payload or b"" for kept in shelf.versions.values() for past in kept.values()]
    assert 2 == len(landed)
    assert not any(b"SECRET" in one for one in landed)
    assert all(b'"Country":"DE"' in one for one in landed)


async def test_deletes_and_voids_arrive_as_states(shelf: Shelf, books: XeroState) -> None:
    """A deleted draft is gone; a voided invoice is a document still."""
    draft, issued = invoice(books, Status="DRAFT"), invoice(books)
    await shelf.read()
    books.advance(hours=1)

    books.edit("Invoices", draft, Status="DELETED")
    books.edit("Invoices", issued, Status="VOIDED")
    await shelf.read()

    assert ["upsert", "deleted"] == shelf.changes("invoices", draft)
    assert ["upsert", "upsert"] == shelf.changes("invoices", issued)
    assert "VOIDED" == shelf.payload("invoices", issued)["Status"]


async def test_contacts_are_archived_merged_and_erased(shelf: Shelf, books: XeroState) -> None:
    """Archived ones are listed only on demand; what is left of an erased one names nobody."""
    ids = [
        books.put("Contacts", {"Name": name, "ContactStatus": "ACTIVE"})
        for name in ("Kept", "Shelved", "Twin", "Person")
    ]
    await shelf.read("contacts")
    books.advance(hours=1)

    books.edit("Contacts", ids[1], ContactStatus="ARCHIVED")
    books.edit("Contacts", ids[2], ContactStatus="ARCHIVED", MergedToContactID=ids[0])
    books.edit("Contacts", ids[3], ContactStatus="GDPRREQUEST")
    await shelf.read("contacts")

    assert ["upsert", "archived", "merged", "deleted"] == [
        shelf.changes("contacts", one)[-1] for one in ids
    ]
    assert ids[0] == shelf.payload("contacts", ids[2])["survivor_id"]
    assert "Name" not in shelf.payload("contacts", ids[3])


async def test_a_contacts_balance_makes_no_version(shelf: Shelf, books: XeroState) -> None:
    """It moves with every invoice; the contact has not changed."""
    books.put("Contacts", {"Name": "Acme", "Balances": {"AccountsReceivable": 1}})
    await shelf.read("contacts")
    books.edit_unmarked("Contacts", next(iter(books.table("Contacts"))), Balances={"a": 2})

    assert [] == (await shelf.read("contacts", full=True)).ids


async def test_settings_are_read_whole_and_what_is_missing_was_deleted(
    shelf: Shelf, books: XeroState
) -> None:
    """Items are deleted for good, and nothing tells of it."""
    ids = [books.put("Items", {"Code": f"I{n}", "Name": "x"}) for n in range(3)]
    await shelf.read("items")

    books.remove("Items", ids[1])
    await shelf.read("items")

    assert {ids[0], ids[2]} == set(shelf.upserts("items"))
    assert "deleted" == shelf.changes("items", ids[1])[-1]


async def test_every_stream_reads_its_own_list(shelf: Shelf, books: XeroState) -> None:
    """A path or key that is wrong would fail or land nothing."""
    for kind in KINDS:
        books.put(kind.rows, {kind.key: f"id-of-{kind.stream}", "Name": kind.stream})

    outcomes = await shelf.sync(*(kind.stream for kind in KINDS))

    assert {kind.stream: [f"id-of-{kind.stream}"] for kind in KINDS} == {
        name: one.ids for name, one in outcomes.items()
    }
    assert all(one.error is None for one in outcomes.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/Date(1439434356790+0000)/", datetime(2015, 8, 13, 2, 52, 36, 790_000, tzinfo=UTC)),
        ("/Date(1439434356790)/", datetime(2015, 8, 13, 2, 52, 36, 790_000, tzinfo=UTC)),
        ("/Date(1439434356790+1300)/", datetime(2015, 8, 13, 2, 52, 36, 790_000, tzinfo=UTC)),
        ("2026-11-02T16:36:32", datetime(2026, 11, 2, 16, 36, 32, tzinfo=UTC)),
        ("2026-11-02 16:36:32+00:00", datetime(2026, 11, 2, 16, 36, 32, tzinfo=UTC)),
        ("/Date(0+0000)/", None),
        ("/Date(-62135596800000)/", None),
        ("/Date(99999999999999999999+0000)/", None),
        ("0001-01-01T00:00:00", None),
        ("soon", None),
        (None, None),
    ],
)
def test_instants_are_read_in_both_shapes(text: str | None, expected: datetime | None) -> None:
    """The offset is decoration: the milliseconds count in UTC already."""
    assert expected == instant(text)


# Changes.


async def test_only_what_changed_is_asked_for(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """To the second, in UTC, in the form that Xero knows, some minutes back."""
    ids = many(books, 10)
    await shelf.read()
    books.edit("Invoices", ids[3], Total=Decimal(1))
    books.advance(hours=1)

    second = await shelf.read()

    newest = books.changed["Invoices", ids[9]]
    since = (newest - timedelta(minutes=15)).strftime("%Y-%m-%dT%H:%M:%S")
    assert since == asked(server)[-1].headers["if-modified-since"]
    assert [ids[3]] == second.ids


async def test_nothing_new_costs_one_call_and_adds_nothing(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """An idle organisation has a daily allowance, too."""
    many(books, 10)
    await shelf.read()
    before = server.count(LISTS)

    again = await shelf.read()

    assert ([], 1) == (again.ids, server.count(LISTS) - before)


async def test_not_modified_is_nothing_new(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """An answer without a body to "if modified since" is no fault, and moves nothing back."""
    many(books, 3)
    await shelf.read()
    known = shelf.cursors["invoices"]["since"]
    server.fail("Invoices", lambda *_: Reply(304))

    assert [] == (await shelf.read()).ids

    books.advance(minutes=5)
    late = invoice(books)
    assert known == shelf.cursors["invoices"]["since"]
    assert late in (await shelf.read()).ids


async def test_not_modified_without_a_question_is_refused(shelf: Shelf, server: XeroServer) -> None:
    """The first load compares nothing: it would take a whole ledger for empty."""
    server.fail("Invoices", lambda *_: Reply(304), times=9)

    with pytest.raises(VendorError, match="304"):
        await shelf.read()


async def test_a_change_of_the_last_minutes_is_met_again(shelf: Shelf, books: XeroState) -> None:
    """What the vendor shows late lies before the newest that was seen."""
    invoice(books)
    await shelf.read()
    late = invoice(books, at=books.now - timedelta(minutes=10))

    assert [late] == (await shelf.read()).ids


async def test_everything_is_read_again_once_a_week(shelf: Shelf, books: XeroState) -> None:
    """A payment that was applied without touching the invoice's own clock."""
    one = many(books, 2, seconds=3_600)[0]
    await shelf.read()
    books.edit_unmarked("Invoices", one, AmountDue=Decimal(0))
    books.advance(days=6)
    before = await shelf.read()
    books.advance(days=1)

    after = await shelf.read()

    assert ([], [one]) == (before.ids, after.ids)


# Pages.


@pytest.mark.parametrize("stopped_after", [1, 2, 3])
async def test_a_load_goes_on_where_it_stood(
    shelf: Shelf, books: XeroState, stopped_after: int
) -> None:
    """A crash after any page loses nothing and does not begin anew."""
    ids = many(books, 500, seconds=60)
    shelf.settings = {"page_size": 100}
    first = await shelf.read(stop_after=stopped_after)

    rest = await shelf.read()

    assert sorted(ids) == sorted(shelf.upserts("invoices"))
    assert sum(len(page.records) for page in rest.pages) < 500 - 50 * stopped_after
    assert first.ids


@pytest.mark.parametrize("is_inclusive", [True, False])
@pytest.mark.parametrize("counts_pages", [True, False])
@pytest.mark.parametrize("precision", [timedelta(seconds=1), timedelta(days=1)])
async def test_rows_that_are_edited_under_way_hide_no_other(
    shelf: Shelf,
    books: XeroState,
    server: XeroServer,
    is_inclusive: bool,
    counts_pages: bool,
    precision: timedelta,
) -> None:
    """An edited row moves to the end; the one behind it moves up into a page that was read."""
    server.is_inclusive, server.counts_pages = is_inclusive, counts_pages
    server.precision = precision
    ids = many(books, 300, seconds=0.3)
    shelf.settings = {"page_size": 41}
    edits = iter(ids[:7])

    def edit(_request: Request, reply: Reply) -> Reply:
        books.advance(seconds=3)
        one = next(edits, None)
        if one is not None:
            books.edit("Invoices", one, Total=Decimal(2))
        return reply

    server.fail("Invoices", edit, times=1_000)
    await shelf.read()

    assert sorted(ids) == sorted(shelf.upserts("invoices"))
    # Never from the beginning with every page.
    assert server.count("Invoices") < 50


@pytest.mark.parametrize("counts_pages", [True, False])
@pytest.mark.parametrize("stream", ["invoices", "quotes"])
async def test_hundreds_of_one_second_are_all_read(
    shelf: Shelf, books: XeroState, server: XeroServer, stream: str, counts_pages: bool
) -> None:
    """More than a page of them: page numbers tell them apart, and an edit hides none."""
    server.counts_pages = counts_pages
    table = {"invoices": "Invoices", "quotes": "Quotes"}[stream]
    ids = [books.put(table, {"Status": "SENT"}) for _ in range(450)]
    books.advance(hours=1)
    shelf.settings = {"page_size": 100}

    def edit(_request: Request, reply: Reply) -> Reply:
        books.advance(seconds=3)
        books.edit(table, ids[0], Status="ACCEPTED")
        return reply

    server.fail(table, edit, times=1, skip=1)
    await shelf.read(stream)

    assert sorted(ids) == sorted(shelf.upserts(stream))


async def test_pages_are_read_again_only_where_something_moved(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """An import of one second in a quiet organisation is read once."""
    for _ in range(450):
        books.put("Invoices", {"Status": "PAID"})
    books.advance(hours=1)
    shelf.settings = {"page_size": 100}

    await shelf.read()

    pages = [one.param("page") for one in asked(server) if one.param("pageSize") == "100"]
    assert ["1", "1", "2", "3", "4", "5"] == pages


async def test_rows_without_order_are_paged_to_the_end(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """Where the order is not obeyed, no clock is trusted to go on from."""
    ids = many(books, 120)

    # The newest is on the first page: whoever goes on from there believes to have seen all.
    order = [*ids[:20], ids[-1], *ids[20:-1]]

    def shuffled(request: Request, reply: Reply) -> Reply:
        if request.param("order", "") == "UpdatedDateUTC DESC":
            return reply
        low = request.headers.get("if-modified-since", "")
        found = [one for one in order if books.changed["Invoices", one].isoformat() >= low]
        place = int(request.param("page") or "1")
        body = json.loads(reply.body)
        body["Invoices"] = [
            {
                "InvoiceID": one,
                "Status": "PAID",
                "UpdatedDateUTC": f"/Date({int(books.changed['Invoices', one].timestamp())}000)/",
            }
            for one in found[(place - 1) * 50 : place * 50]
        ]
        body["pagination"] = {"page": place, "pageCount": -(-len(found) // 50)}
        reply.body = json.dumps(body).encode()
        return reply

    server.fail("Invoices", shuffled, times=100)
    shelf.settings = {"page_size": 50}
    await shelf.read()

    assert sorted(ids) == sorted(shelf.upserts("invoices"))


async def test_the_lowered_page_size_of_the_vendor_loses_nothing(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """A page is no shorter than asked because it is the last one."""
    ids = many(books, 130)

    def lower(request: Request, _reply: Reply) -> Reply:
        smaller = Request(
            request.method, request.path, {**request.query, "pageSize": ["20"]},
            request.headers, request.body,
        )  # fmt: skip
        return server._handle(smaller)

    server.fail("Invoices", lower, times=1_000)
    await shelf.read()

    assert sorted(ids) == sorted(shelf.upserts("invoices"))


# The organisation.


OTHER = "5b1f2f2e-0000-4000-8000-000000000001"


async def test_the_only_organisation_is_read_without_being_named(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """Practices of an accountant are no organisations."""
    books.tenants[OTHER] = "Practice of an accountant"
    invoice(books)

    await shelf.read()

    assert {TENANT} == {one.headers["xero-tenant-id"] for one in asked(server)}


async def test_of_several_organisations_one_must_be_named(shelf: Shelf, books: XeroState) -> None:
    """To guess would put one company's money into another's reports."""
    books.tenants[OTHER] = "Sister Ltd"
    invoice(books)
    theirs = invoice(books, tenant=OTHER)

    with pytest.raises(ConfigError, match=f"Sister Ltd .{OTHER}.*tenant_id"):
        await shelf.read()
    shelf.settings = {"tenant_id": OTHER}

    assert [theirs] == (await shelf.read()).ids


async def test_a_connection_stays_with_its_organisation(shelf: Shelf, books: XeroState) -> None:
    """Signing in to another one would mix two companies' books under the same keys."""
    await shelf.read()
    books.tenants = {OTHER: "Another"}

    with pytest.raises(ConfigError, match="has read the organisation"):
        await shelf.read()


async def test_an_organisation_that_never_answered_may_be_corrected(
    shelf: Shelf, books: XeroState
) -> None:
    """A mistyped id is no organisation that was read."""
    one = invoice(books)
    shelf.settings = {"tenant_id": OTHER}
    with pytest.raises(AccessDenied):
        await shelf.read()
    shelf.settings = {"tenant_id": TENANT}

    assert [one] == (await shelf.read()).ids


async def test_two_organisations_of_one_sign_in_share_its_tokens(
    shelf: Shelf, books: XeroState, server: XeroServer
) -> None:
    """Each with a copy of its own, one would void the other's after half an hour."""
    books.tenants[OTHER] = "Sister Ltd"
    theirs = invoice(books, tenant=OTHER)
    ours = invoice(books)
    sister: Path = shelf.state_dir.parent / "sister"
    sister.mkdir()  # noqa: ASYNC240 - one folder of a test
    second = Shelf(server, sister, {"tenant_id": OTHER})
    shelf.settings = {"tenant_id": TENANT}
    await shelf.read()
    books.advance(hours=2)
    for token in books.access:
        books.access[token] = books.now + timedelta(hours=1)

    assert [theirs] == (await second.read()).ids
    assert [ours] == shelf.upserts("invoices")
    assert 1 == server.count("/connect/token")
