"""A day in the books of each billing system: what a sync lands after it is what the vendor holds.

Between two reads invoices are voided and deleted, credits are given and applied, a payment bounces,
quotes are answered, in three currencies and under a new access token. A payment may move its
invoice's balance without the invoice's clock.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors import chargebee, quickbooks, xero
from connectors.base.stream import Connector
from pipeledger.landing import Landing
from pipeledger.sync import sync_connection
from sandbox.chargebee import API_KEY, ChargebeeServer, ChargebeeState
from sandbox.quickbooks import QuickbooksServer, QuickbooksState
from sandbox.quickbooks import state as quickbooks_state
from sandbox.xero import XeroServer, XeroState
from sandbox.xero import state as xero_state

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("ledger_days"), pytest.mark.timeout(300)]

CURRENCIES = ("EUR", "USD", "JPY")


class Books:
    """Where one connection lands."""

    def __init__(
        self,
        connector: Connector,
        folder: Path,
        settings: Mapping[str, Any],
        clock: Callable[[], datetime],
    ) -> None:
        self.connector = connector
        self.folder = folder
        self.settings = connector.settings.model_validate(settings)
        self.clock = clock

    async def sync(self) -> int:
        """Read what changed; gives how many versions landed."""
        report = await sync_connection(
            self.connector,
            self.settings,
            "books",
            Landing(self.folder / "landing"),
            clock=self.clock,
            state_dir=self.folder / "state",
        )
        assert report.is_complete, [one for one in report.streams if one.error]
        return sum(one.appended for one in report.streams)

    def live(self, stream: str, *fields: str) -> dict[str, list[Any]]:
        """Fields by id of the records whose newest version is live."""
        pin = Landing(self.folder / "landing").pin()[self.connector.source, stream]
        with duckdb.connect(":memory:") as db:
            rows = db.execute(
                "select record_id, payload from (select * from read_parquet($1) qualify "
                "row_number() over (partition by record_id order by observed_at desc, "
                "sync_id desc, position desc) = 1) where change = 'upsert'",
                [[str(name) for name in pin.files]],
            ).fetchall()
        return {id_: _of(json.loads(payload, parse_float=Decimal), fields) for id_, payload in rows}


def _of(row: Mapping[str, Any], fields: tuple[str, ...]) -> list[Any]:
    return [row.get(name) for name in fields]


async def test_a_day_in_quickbooks(tmp_path: Path) -> None:
    """A void keeps its row with zeros, a deleted row is gone, a balance moves without a clock."""
    state = QuickbooksState()
    ids = [
        state.put(
            "Invoice",
            TotalAmt=Decimal("119.00"),
            Balance=Decimal("119.00"),
            CurrencyRef={"value": CURRENCIES[place % 3]},
            Line=[{"Id": "1", "Amount": Decimal("100.00"), "DetailType": "SalesItemLineDetail"}],
        )
        for place in range(12)
    ]
    quotes = [state.put("Estimate", TotalAmt=Decimal(5), TxnStatus="Pending") for _ in range(2)]

    def settle(kind: str, invoice: str, *more: tuple[str, str]) -> str:
        """A payment, or a payment of zero that applies a credit; the invoice's clock stands."""
        linked = [{"TxnId": id_, "TxnType": of} for of, id_ in (("Invoice", invoice), *more)]
        lines = [{"Amount": Decimal("119.00"), "LinkedTxn": [one]} for one in linked]
        state.edit_quietly("Invoice", invoice, Balance=Decimal(0))
        return state.put("Payment", TotalAmt=Decimal(0 if kind == "credit" else 119), Line=lines)

    bounced = settle("money", ids[0])
    state.advance(minutes=30)

    with QuickbooksServer(state) as server:
        books = Books(
            quickbooks.CONNECTOR,
            tmp_path,
            {
                "realm_id": quickbooks_state.REALM,
                "client_id": quickbooks_state.CLIENT_ID,
                "client_secret": quickbooks_state.CLIENT_SECRET,
                "refresh_token": quickbooks_state.REFRESH_TOKEN,
                "base_url": server.url,
                "token_url": f"{server.url}/oauth2/v1/tokens/bearer",
                "streams": ["invoices", "credit_memos", "payments", "estimates"],
                "page_size": 5,
            },
            lambda: state.now,
        )
        await books.sync()
        state.advance(hours=2)
        state.void("Invoice", ids[1])
        state.delete("Invoice", ids[2])
        memo = state.put("CreditMemo", TotalAmt=Decimal("119.00"), RemainingCredit=Decimal(0))
        settle("credit", ids[3], ("CreditMemo", memo))
        settle("money", ids[4])
        state.delete("Payment", bounced)
        state.edit_quietly("Invoice", ids[0], Balance=Decimal("119.00"))
        state.edit("Estimate", quotes[0], TxnStatus="Rejected")
        state.delete("Estimate", quotes[1])
        state.advance(minutes=30)
        await books.sync()
        again = await books.sync()
        assert [] == server.errors

    for stream, entity, fields in (
        ("invoices", "Invoice", ("TotalAmt", "Balance", "CurrencyRef", "PrivateNote", "Line")),
        ("credit_memos", "CreditMemo", ("TotalAmt", "RemainingCredit")),
        ("payments", "Payment", ("TotalAmt", "Line")),
        ("estimates", "Estimate", ("TotalAmt", "TxnStatus")),
    ):
        held = {id_: _of(row, fields) for id_, row in state.table(entity).items()}
        assert held == books.live(stream, *fields)
    assert 0 == again
    assert 2 == state.refreshes


async def test_a_day_in_xero(tmp_path: Path) -> None:
    """A void is a state, a deleted payment stays readable, an allocation marks both documents."""
    state = XeroState()
    ids = [
        state.put(
            "Invoices",
            {
                "Type": "ACCREC",
                "Status": "AUTHORISED",
                "Total": Decimal("119.00"),
                "AmountDue": Decimal("119.00"),
                "CurrencyCode": CURRENCIES[place % 3],
            },
        )
        for place in range(12)
    ]
    bounced = state.put("Payments", {"Status": "AUTHORISED", "Amount": Decimal("119.00")})
    state.edit("Invoices", ids[0], Status="PAID", AmountDue=Decimal("0.00"))
    before = state.put("Prepayments", {"Status": "AUTHORISED", "Total": Decimal(50)})
    quote = state.put("Quotes", {"Status": "SENT", "Total": Decimal(5)})
    state.advance(hours=1)

    with XeroServer(state) as server:
        books = Books(
            xero.CONNECTOR,
            tmp_path,
            {
                "client_id": xero_state.CLIENT_ID,
                "client_secret": xero_state.CLIENT_SECRET,
                "refresh_token": xero_state.REFRESH_TOKEN,
                "base_url": server.url,
                "token_url": f"{server.url}/connect/token",
                "streams": ["invoices", "credit_notes", "payments", "prepayments", "quotes"],
                "page_size": 5,
            },
            lambda: state.now,
        )
        await books.sync()
        state.advance(hours=2)
        state.edit("Invoices", ids[1], Status="VOIDED", AmountDue=Decimal("0.00"))
        state.edit("Invoices", ids[2], Status="DELETED")
        part = [{"Amount": Decimal("119.00"), "Invoice": {"InvoiceID": ids[3]}}]
        state.put(
            "CreditNotes", {"Status": "PAID", "Total": Decimal("119.00"), "Allocations": part}
        )
        state.edit("Invoices", ids[3], Status="PAID", AmountDue=Decimal("0.00"))
        state.edit("Payments", bounced, Status="DELETED")
        state.edit("Invoices", ids[0], Status="AUTHORISED", AmountDue=Decimal("119.00"))
        state.edit("Prepayments", before, Allocations=[{"Amount": Decimal(50)}])
        state.edit("Quotes", quote, Status="ACCEPTED")
        state.advance(hours=1)
        await books.sync()
        again = await books.sync()
        assert [] == server.errors

    for stream, table, fields in (
        ("invoices", "Invoices", ("Status", "Total", "AmountDue", "CurrencyCode")),
        ("credit_notes", "CreditNotes", ("Status", "Total", "Allocations")),
        ("payments", "Payments", ("Status", "Amount")),
        ("prepayments", "Prepayments", ("Status", "Total", "Allocations")),
        ("quotes", "Quotes", ("Status", "Total")),
    ):
        rows = state.table(table).items()
        held = {id_: _of(row, fields) for id_, row in rows if row["Status"] != "DELETED"}
        assert held == books.live(stream, *fields)
    assert 0 == again
    assert xero_state.REFRESH_TOKEN != max(state.refresh, key=lambda one: state.refresh[one].made)


async def test_a_day_in_chargebee(tmp_path: Path) -> None:
    """Voids keep their row, deletes are flagged, a refund and its note come with the day."""
    state = ChargebeeState()
    for place in range(12):
        state.has(
            "invoices",
            f"INV-{place:02}",
            status="payment_due",
            total=11_900,
            amount_due=11_900,
            currency_code=CURRENCIES[place % 3],
        )
    state.has("transactions", "txn_1", type="payment", status="success", amount=11_900)
    state.has("coupons", "TEN", discount_type="percentage", discount_percentage=10)
    quote = state.has("quotes", status="open", total=500)["id"]
    state.advance(hours=1)

    with ChargebeeServer(state) as server:
        books = Books(
            chargebee.CONNECTOR,
            tmp_path,
            {
                "site": "acme-test",
                "api_key": API_KEY,
                "base_url": server.url,
                "streams": ["invoices", "credit_notes", "transactions", "quotes", "coupons"],
            },
            lambda: state.now,
        )
        await books.sync()
        state.advance(hours=2)
        voided = int(state.now.timestamp())
        state.change("invoices", "INV-01", status="voided", voided_at=voided, amount_due=0)
        state.delete("invoices", "INV-02")
        state.has("credit_notes", "CN-1", type="adjustment", status="adjusted", total=11_900)
        state.change("invoices", "INV-03", status="paid", amount_due=0, amount_adjusted=11_900)
        state.change("transactions", "txn_1", status="late_failure")
        state.has("transactions", "txn_2", type="refund", status="success", amount=100)
        state.change("quotes", quote, status="declined")
        state.delete("coupons", "TEN")
        state.advance(hours=1)
        await books.sync()
        again = await books.sync()
        assert [] == server.errors

    for stream, fields in (
        ("invoices", ("status", "total", "amount_due", "currency_code", "voided_at")),
        ("credit_notes", ("type", "status", "total")),
        ("transactions", ("type", "status", "amount")),
        ("quotes", ("status", "total")),
        ("coupons", ("discount_percentage",)),
    ):
        held = {id_: _of(row, fields) for id_, row in state.held(stream).items()}
        assert held == books.live(stream, *fields)
    assert 0 == again
