"""Receivables at each month's end, and recurring revenue, counted from the ledger's events."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeAlias

from sandbox.company.clock import business_date
from sandbox.company.ledger import Invoice, Subscription
from sandbox.company.model import World
from sandbox.company.money import major

BUCKETS = ((0, "current"), (30, "1-30"), (60, "31-60"), (90, "61-90"), (120, "91-120"))
Ageing: TypeAlias = dict[tuple[date, str, str], tuple[int, Decimal]]
"""(day, currency, bucket) -> invoices and what is due on them."""
Balance: TypeAlias = Callable[[Invoice, date], int]
"""What was due on an issued invoice at the end of a day, in minor units."""


def month_ends(today: date, months: int = 36) -> list[date]:
    """The last days of the months before today, newest first, then today itself."""
    found = [today]
    first = today.replace(day=1)
    for _ in range(months):
        last = first - timedelta(days=1)
        found.append(last)
        first = last.replace(day=1)
    return found


def _counts_on(one: Invoice, day: date) -> bool:
    """Was it issued by the end of a day, and neither void nor written off?"""
    ended = [at for at in (one.voided_at, one.written_off_at) if at is not None]
    return business_date(one.finalized or one.created) <= day and all(
        business_date(at) > day for at in ended
    )


def balance_on(one: Invoice, day: date) -> int:
    """What was due on an issued invoice at the end of a day, in minor units."""
    if not _counts_on(one, day):
        return 0
    due = one.gross - one.from_balance
    due -= sum(paid.amount for paid in one.payments if business_date(paid.at) <= day)
    due -= sum(
        note.gross for note in one.credits if note.way == "due" and business_date(note.at) <= day
    )
    # A lost dispute takes the money back on the day it was opened.
    return due + sum(
        paid.amount
        for paid in one.payments
        if paid.dispute_lost and business_date(paid.dispute_at) <= day
    )


def bucket_of(one: Invoice, day: date) -> str:
    """How late an invoice is on a day; one that is charged at once is due when issued."""
    due = business_date(one.due or one.finalized or one.created)
    late = (day - due).days
    return next((name for limit, name in BUCKETS if late <= limit), ">120")


def balance_without_lost_payments(one: Invoice, day: date) -> int:
    """As `balance_on`, where a payment that a dispute took back is deleted: it never was."""
    if not _counts_on(one, day):
        return 0
    return balance_on(one, day) + sum(
        paid.amount
        for paid in one.payments
        if paid.dispute_lost and business_date(paid.at) <= day < business_date(paid.dispute_at)
    )


def count_ageing(world: World, balance_of: Balance = balance_on) -> Ageing:
    """The receivables of every month's end and of today."""
    found: Ageing = {}
    for day in month_ends(business_date(world.today)):
        for one in world.books.invoices:
            if one.finalized is None or (balance := balance_of(one, day)) == 0:
                continue
            key = (day, one.currency, bucket_of(one, day))
            count, total = found.get(key, (0, Decimal(0)))
            found[key] = (count + 1, total + one.amount(balance))
    return found


def runs_at_the_end_of(one: Subscription, day: date) -> bool:
    """Does a subscription bring recurring revenue at the end of a day?"""
    ended = one.canceled_at is not None and business_date(one.canceled_at) <= day
    return business_date(one.created) <= day and not ended


def count_mrr(world: World) -> dict[tuple[date, str], Decimal]:
    """Monthly recurring revenue by month's end and currency; of today at this instant."""
    found: dict[tuple[date, str], Decimal] = {}
    for day in month_ends(business_date(world.today)):
        for one in world.books.subscriptions:
            if runs_at_the_end_of(one, day):
                key = (day, one.customer.currency)
                found[key] = found.get(key, Decimal(0)) + major(one.monthly, one.customer.currency)
    return found
