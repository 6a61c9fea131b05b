"""QuickBooks: pages, ties, changes, and balances that move without a clock."""

from decimal import Decimal

import pytest

from sandbox.exchange import Reply, Request
from sandbox.quickbooks import QuickbooksServer, QuickbooksState
from tests.connectors.quickbooks.shelf import Shelf


def invoices(books: QuickbooksState, count: int, *, seconds: int = 1) -> list[str]:
    """So many invoices, so many seconds apart."""
    made = []
    for _ in range(count):
        made.append(books.put("Invoice", TotalAmt=Decimal("10.00"), Balance=Decimal("10.00")))
        books.advance(seconds=seconds)
    return made


async def test_the_first_load_holds_every_invoice(books: QuickbooksState, shelf: Shelf) -> None:
    """Thirty-three invoices in pages of ten."""
    made = invoices(books, 33)
    books.advance(hours=1)

    await shelf.read()

    assert made == shelf.live()


async def test_a_tie_longer_than_a_page_is_complete(books: QuickbooksState, shelf: Shelf) -> None:
    """An import stamps hundreds with one second; a strict "greater" would lose them."""
    made = [*invoices(books, 5), *invoices(books, 35, seconds=0), *invoices(books, 12)]
    books.advance(hours=1)

    await shelf.read()

    assert made == shelf.live()


async def test_an_edit_between_pages_shifts_nothing_out_of_sight(
    books: QuickbooksState, server: QuickbooksServer, shelf: Shelf
) -> None:
    """An edited row moves to the end; reading by position would skip the row behind it."""
    made = [*invoices(books, 25), *invoices(books, 25, seconds=0), *invoices(books, 25)]
    books.advance(hours=1)
    edits = iter(made)

    def edited(request: Request, reply: Reply) -> Reply:
        if "SELECT *" in (request.param("query") or ""):
            books.edit("Invoice", next(edits), PrivateNote="edited")
            books.edit("Invoice", made[30 + server.count("query") % 10], PrivateNote="edited")
        return reply

    server.fail("query", edited, times=8)
    await shelf.read()
    books.advance(hours=1)
    await shelf.read()

    assert made == shelf.live()
    for number in made:
        token = books.table("Invoice")[number]["SyncToken"]
        assert token == shelf.payload("invoices", number)["SyncToken"]


async def test_an_interrupted_load_goes_on_where_it_stopped(
    books: QuickbooksState, server: QuickbooksServer, shelf: Shelf
) -> None:
    """Each page's cursor is a resume point."""
    made = invoices(books, 45)
    books.advance(hours=1)

    await shelf.read(stop_after=3)
    asked = len(server.statements)
    await shelf.read()

    assert made == shelf.live()
    assert all(
        "LastUpdatedTime >=" in one for one in server.statements[asked:] if "FROM Inv" in one
    )


async def test_a_second_read_asks_for_changes_alone(
    books: QuickbooksState, server: QuickbooksServer, shelf: Shelf
) -> None:
    """One call of change data capture, and no query, when nothing else happened."""
    made = invoices(books, 30)
    books.advance(hours=1)
    await shelf.read()
    books.edit("Invoice", made[4], Balance=Decimal(0))
    books.advance(minutes=5)
    server.requests.clear()

    outcome = await shelf.read()

    assert [made[4]] == outcome.ids
    assert ["/v3/company/9130350000000001/cdc"] == [one.path for one in server.requests]


async def test_an_unchanged_company_adds_nothing(books: QuickbooksState, shelf: Shelf) -> None:
    """The overlap is read twice and lands once."""
    invoices(books, 12)
    books.advance(seconds=90)
    await shelf.read()

    again = [(await shelf.read()).ids for _ in range(2)]

    assert [[], []] == again


async def test_more_changes_than_one_answer_holds_are_read_by_time(
    books: QuickbooksState, shelf: Shelf
) -> None:
    """Change data capture stops at a thousand objects without a word."""
    shelf.settings["page_size"] = 1000
    made = invoices(books, 1100, seconds=0)
    books.advance(hours=1)
    await shelf.read()
    for number in made[:1050]:
        books.edit("Invoice", number, Balance=Decimal("1.00"))
    books.delete("Invoice", made[1099])
    books.advance(hours=1)

    await shelf.read()

    assert made[:1099] == shelf.live()
    assert all(1.0 == shelf.payload("invoices", number)["Balance"] for number in made[:1050])
    assert ["upsert", "deleted"] == shelf.changes("invoices", made[1099])


async def test_a_crowd_of_another_entity_does_not_hide_a_change(
    books: QuickbooksState, shelf: Shelf
) -> None:
    """The cap counts all entities of an answer: then each is asked alone."""
    one = invoices(books, 1)[0]
    books.advance(hours=1)
    await shelf.read()
    books.edit("Invoice", one, Balance=Decimal("3.00"))
    for _ in range(1000):
        books.put("Customer", DisplayName="One")
    books.advance(minutes=5)

    outcome = await shelf.read()

    assert [one] == outcome.ids


async def test_streams_of_one_run_share_an_answer(
    books: QuickbooksState, server: QuickbooksServer, shelf: Shelf
) -> None:
    """Reads are metered by the month."""
    invoices(books, 2)
    books.put("Customer", DisplayName="One")
    books.advance(hours=1)
    streams = ("invoices", "customers", "payments", "credit_memos")
    await shelf.sync(*streams)
    books.advance(minutes=30)
    server.requests.clear()

    await shelf.sync(*streams)

    assert 1 == server.count("cdc")


async def test_a_payment_that_moves_a_balance_alone_is_followed(
    books: QuickbooksState, shelf: Shelf
) -> None:
    """It is not promised that a payment moves its invoice's clock."""
    one, other = invoices(books, 2)
    books.advance(hours=2)
    await shelf.read()
    link = {"TxnId": one, "TxnType": "Invoice"}
    books.put("Payment", TotalAmt=4, Line=[{"Amount": 4, "LinkedTxn": [link]}])
    books.edit_quietly("Invoice", one, Balance=Decimal("6.00"))
    books.advance(minutes=5)

    outcome = await shelf.read()

    assert [one] == outcome.ids
    assert 6.0 == shelf.payload("invoices", one)["Balance"]
    assert 10.0 == shelf.payload("invoices", other)["Balance"]


@pytest.mark.parametrize("unasked", [set(), {"Balance"}], ids=["by balance", "all"])
async def test_a_deleted_payment_opens_its_invoice_again(
    books: QuickbooksState, shelf: Shelf, unasked: set[str]
) -> None:
    """The deletion no longer says what had been paid."""
    books.unasked = unasked
    one = invoices(books, 1)[0]
    link = {"TxnId": one, "TxnType": "Invoice"}
    payment = books.put("Payment", TotalAmt=10, Line=[{"Amount": 10, "LinkedTxn": [link]}])
    books.edit("Invoice", one, Balance=Decimal("0.00"))
    books.advance(hours=2)
    await shelf.read()
    books.delete("Payment", payment)
    books.edit_quietly("Invoice", one, Balance=Decimal("10.00"))
    books.advance(minutes=5)

    await shelf.read()

    assert 10.0 == shelf.payload("invoices", one)["Balance"]


async def test_a_long_pause_is_made_up_for(books: QuickbooksState, shelf: Shelf) -> None:
    """Change data capture ends at thirty days; edits and deletions before that are found."""
    made = invoices(books, 22)
    books.advance(hours=1)
    await shelf.read()
    books.edit("Invoice", made[1], Balance=Decimal("2.00"))
    books.delete("Invoice", made[2])
    books.advance(days=45)

    await shelf.read()

    assert 2.0 == shelf.payload("invoices", made[1])["Balance"]
    assert ["upsert", "deleted"] == shelf.changes("invoices", made[2])
    assert 21 == len(shelf.live())


async def test_inactive_rows_of_name_lists_are_read(books: QuickbooksState, shelf: Shelf) -> None:
    """They are hidden unless asked for, and old invoices name them."""
    kept = books.put("Customer", DisplayName="Kept")
    left = books.put("Customer", DisplayName="Left")
    books.delete("Customer", left)
    rate = books.put("TaxRate", Name="Old", RateValue=19, Active=False)
    books.advance(hours=1)

    await shelf.sync("customers", "tax_rates")

    assert [kept, left] == shelf.live("customers")
    assert shelf.payload("customers", left)["Active"] is False
    assert [rate] == shelf.live("tax_rates")


async def test_digits_stay_and_private_things_do_not_land(
    books: QuickbooksState, shelf: Shelf
) -> None:
    """1000.00 stays 1000.00; streets, phones and cards stay at the vendor."""
    number = books.put(
        "Invoice",
        TotalAmt=Decimal("1000.00"),
        ExchangeRate=Decimal("1.0842000"),
        BillAddr={"Id": "1", "Line1": "Hauptstr. 1", "City": "Berlin", "Country": "DE"},
        CustomField=[{"DefinitionId": "1", "Name": "PO Number", "StringValue": "PO-1"}],
        PrimaryPhone={"FreeFormNumber": "030"},
        CreditCardPayment={"CreditChargeInfo": {"Number": "4111"}},
    )
    books.advance(hours=1)

    await shelf.read()

    text = shelf.versions["invoices"][number][-1].payload
    assert text is not None
    assert b'"TotalAmt":1000.00' in text
    assert b"1.0842000" in text
    assert b"PO-1" in text
    assert b"Berlin" in text
    for secret in (b"Hauptstr", b"030", b"4111"):
        assert secret not in text


async def test_free_text_stays_out_where_it_is_not_wanted(
    books: QuickbooksState, shelf: Shelf
) -> None:
    """Notes are people's own words."""
    shelf.settings["free_text"] = False
    number = books.put("Invoice", PrivateNote="call me", CustomerMemo={"value": "thanks"})
    books.advance(hours=1)

    await shelf.read()

    assert not {"PrivateNote", "CustomerMemo"} & set(shelf.payload("invoices", number))


async def test_rates_are_read_day_by_day(books: QuickbooksState, shelf: Shelf) -> None:
    """A rate belongs to a currency and a day."""
    shelf.settings["rate_days"] = 3
    books.put("CompanyCurrency", Code="EUR")
    for day in (20, 21, 22, 23):
        books.put(
            "ExchangeRate",
            SourceCurrencyCode="EUR",
            TargetCurrencyCode="USD",
            Rate=Decimal("1.08"),
            AsOfDate=f"2026-11-{day}",
        )

    await shelf.read("exchange_rates")
    again = await shelf.read("exchange_rates")

    days = [f"EUR:2026-11-{day}" for day in (20, 21, 22, 23)]
    assert days == sorted(shelf.upserts("exchange_rates"))
    assert not again.ids


async def test_a_company_of_one_currency_has_no_rates(books: QuickbooksState, shelf: Shelf) -> None:
    """That is no fault, and it is said."""
    books.edit("Preferences", "2", CurrencyPrefs={"MultiCurrencyEnabled": False})

    outcome = await shelf.read("exchange_rates")

    assert ["skipped: the company keeps one currency"] == outcome.notes
