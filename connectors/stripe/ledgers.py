"""The lists that have no events: the account's ledger, customers' balances, payment records."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from connectors.base.decode import decode
from connectors.base.stream import Page, ReadRequest
from connectors.base.window import cursor_instant
from connectors.stripe.kinds import BALANCE_TRANSACTIONS, PAYMENT_RECORDS
from connectors.stripe.reader import OVERLAP, REACH, SETTLE, Event
from connectors.stripe.records import page_of, record_of, text_of
from connectors.stripe.session import Session, server_time

BALANCE_LOOKBACK = timedelta(days=8)
"""A balance transaction turns from pending to available within a week."""
RECORD_LOOKBACK = timedelta(days=90)
"""What was reported of a payment outside Stripe may be corrected for a while."""


async def read_balance_transactions(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield the account's ledger, fees and settled amounts; it has no events.

    What was made within eight days before the last pass is read again: its status moves.
    """
    since = None if request.full else cursor_instant(request.cursor, "since", request.now)
    params: tuple[tuple[str, str], ...] = ()
    if since is not None:
        params = (("created[gte]", str(int((since - BALANCE_LOOKBACK).timestamp()))),)
    began: datetime | None = None
    async for listed, response in session.pages(BALANCE_TRANSACTIONS.path, params):
        began = began or server_time(response)
        yield await page_of(session, request, BALANCE_TRANSACTIONS, listed.data)
    yield Page(cursor={"since": text_of(began or request.now)})


class _Balance(msgspec.Struct):
    id: str
    balance: int = 0


class _Opening(msgspec.Struct):
    customer: str | None = None
    starting_balance: int = 0
    ending_balance: int | None = None


async def read_customer_balances(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield the ledger of each customer whose credit balance moved.

    There is no list over all customers and no event: customers with a balance, and those
    whose invoices began or ended with one, are asked; later only those that changed.
    """
    since = None if request.full else cursor_instant(request.cursor, "since", request.now)
    customers: set[str] = set()
    began: datetime | None = None
    if since is not None and request.now - since <= REACH:
        first = str(int((since - OVERLAP).timestamp()))
        for kind in ("customer.updated", "invoice.finalized", "credit_note.created"):
            params = (("created[gte]", first), ("types[]", kind))
            async for listed, response in session.pages("/v1/events", params):
                began = began or server_time(response)
                for raw in listed.data:
                    subject = bytes(decode(bytes(raw), Event).data.object)
                    if kind == "customer.updated":
                        customers.add(decode(subject, _Balance).id)
                    else:
                        customers.add(decode(subject, _Opening).customer or "")
    else:
        async for listed, response in session.pages("/v1/customers"):
            began = began or server_time(response)
            found = [decode(bytes(raw), _Balance) for raw in listed.data]
            customers.update(one.id for one in found if one.balance)
        async for listed, _ in session.pages("/v1/invoices"):
            for raw in listed.data:
                opening = decode(bytes(raw), _Opening)
                if opening.starting_balance or opening.ending_balance:
                    customers.add(opening.customer or "")
    for customer in sorted(customers - {""}):
        path = f"/v1/customers/{customer}/balance_transactions"
        async for listed, _ in session.pages(path):
            records = [record_of(session, request, bytes(raw)) for raw in listed.data]
            yield Page(records)
    yield Page(cursor={"since": text_of((began or request.now) - SETTLE)})


class _Payment(msgspec.Struct):
    payment_record: msgspec.Raw = msgspec.Raw(b"null")


class _InvoicePayment(msgspec.Struct):
    payment: _Payment


async def read_payment_records(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield the payments that reached invoices outside Stripe, as they were reported.

    The pinned version has no list of payment records (that came on 2026-07-29), so they are
    read with the invoice payments that name them. They have no events: what was allocated
    within 90 days before the last pass is read again.
    """
    since = None if request.full else cursor_instant(request.cursor, "since", request.now)
    params: tuple[tuple[str, str], ...] = (
        ("payment[type]", "payment_record"),
        ("expand[]", "data.payment.payment_record"),
    )
    if since is not None:
        params += (("created[gte]", str(int((since - RECORD_LOOKBACK).timestamp()))),)
    began: datetime | None = None
    async for listed, response in session.pages("/v1/invoice_payments", params):
        began = began or server_time(response)
        found: dict[bytes, msgspec.Raw] = {}
        for raw in listed.data:
            body: bytes | None = bytes(decode(bytes(raw), _InvoicePayment).payment.payment_record)
            if body == b"null":
                continue
            if body is not None and body.startswith(b'"'):
                # Shown as an id all the same.
                body = await session.one(PAYMENT_RECORDS.path, decode(body, str))
            if body is not None:
                found.setdefault(body, msgspec.Raw(body))
        yield await page_of(session, request, PAYMENT_RECORDS, found.values())
    yield Page(cursor={"since": text_of(began or request.now)})
