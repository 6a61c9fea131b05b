"""QuickBooks: voided, deleted and inactive are three things."""

from decimal import Decimal

from sandbox.exchange import Reply, Request
from sandbox.quickbooks import QuickbooksServer, QuickbooksState
from tests.connectors.quickbooks.shelf import Shelf
from tests.connectors.quickbooks.test_quickbooks_reading import invoices


async def test_voided_and_deleted_are_told_apart(books: QuickbooksState, shelf: Shelf) -> None:
    """A voided invoice stays with zeros, a deleted one leaves the query."""
    voided, deleted, kept = invoices(books, 3)
    books.advance(hours=1)
    await shelf.read()
    books.void("Invoice", voided)
    books.delete("Invoice", deleted)
    books.advance(minutes=5)

    await shelf.read()

    assert ["upsert", "upsert"] == shelf.changes("invoices", voided)
    assert shelf.payload("invoices", voided)["PrivateNote"].startswith("Voided")
    assert 0 == shelf.payload("invoices", voided)["TotalAmt"]
    assert ["upsert", "deleted"] == shelf.changes("invoices", deleted)
    assert ["upsert"] == shelf.changes("invoices", kept)


async def test_the_sweep_finds_what_no_event_told(books: QuickbooksState, shelf: Shelf) -> None:
    """Ids are compared every week."""
    made = invoices(books, 25)
    books.advance(hours=1)
    await shelf.read()
    books.delete("Invoice", made[3])
    books.gone.clear()
    books.advance(days=1)
    await shelf.read()
    before = shelf.live()
    books.advance(days=7)

    await shelf.read()

    assert made == before
    assert ["upsert", "deleted"] == shelf.changes("invoices", made[3])
    assert 24 == len(shelf.live())


async def test_a_deletion_between_two_pages_of_ids_calls_nothing_else_deleted(
    books: QuickbooksState, server: QuickbooksServer, shelf: Shelf
) -> None:
    """One goes and one comes: the count fits, but a row has shifted out of sight."""
    made = invoices(books, 25)
    books.advance(hours=1)
    await shelf.read()
    books.advance(days=8)

    def shifted(request: Request, reply: Reply) -> Reply:
        if "SELECT Id" in (request.param("query") or "") and made[0] in books.table("Invoice"):
            books.delete("Invoice", made[0])
            books.put("Invoice", TotalAmt=Decimal("1.00"), Balance=Decimal("1.00"))
        return reply

    server.fail("query", shifted, times=50)
    await shelf.read()

    held = [number for number in made[1:] if shelf.changes("invoices", number) == ["upsert"]]
    assert made[1:] == held


async def test_a_full_read_finds_deletions_too(books: QuickbooksState, shelf: Shelf) -> None:
    """``--full`` starts the state anew; it does not forget what landing holds."""
    made = invoices(books, 5)
    books.advance(hours=1)
    await shelf.read()
    books.delete("Invoice", made[0])
    books.gone.clear()

    await shelf.read(full=True)

    assert made[1:] == shelf.live()


async def test_a_merged_customer_is_inactive_not_deleted(
    books: QuickbooksState, shelf: Shelf
) -> None:
    """The loser of a merge keeps its row, with a name that says so."""
    loser = books.put("Customer", DisplayName="Loser")
    books.advance(hours=1)
    await shelf.read("customers")
    books.delete("Customer", loser)
    books.advance(minutes=5)

    await shelf.read("customers")

    assert ["upsert", "upsert"] == shelf.changes("customers", loser)
    assert "Loser (deleted)" == shelf.payload("customers", loser)["DisplayName"]
