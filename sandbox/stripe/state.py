"""The account behind the sandbox Stripe: objects, their ledgers, and the event log."""

import copy
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

TEST_KEY = "rk_test_sandbox0000000000"
EVENTS_KEPT = timedelta(days=30)
PREFIXES = {
    "customers": "customer",
    "products": "product",
    "prices": "price",
    "coupons": "coupon",
    "subscriptions": "customer.subscription",
    "quotes": "quote",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "invoice_items": "invoiceitem",
    "credit_notes": "credit_note",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "charge.dispute",
    "payouts": "payout",
    "payment_records": "payment_record",
    "balance_transactions": "balance_transaction",
}


FIRST_EVENTS = {"charges": "succeeded", "invoice_payments": "paid"}
"""What the log says of a new object, where it is not ``created``."""


@dataclass(slots=True)
class Key:
    """An API key; ``forbidden`` are kinds of object that it may not read."""

    forbidden: frozenset[str] = frozenset()


@dataclass(slots=True)
class StripeState:
    """Objects by kind and id, in the order in which they were made."""

    now: datetime = datetime(2026, 10, 15, 6, tzinfo=UTC)
    objects: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {name: {} for name in PREFIXES}
    )
    lines: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    """(kind, parent id) -> all lines or items, where an object shows only the first."""
    balances: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    accounts: set[str] = field(default_factory=set)
    """Connected accounts that the platform's key may speak for; all show the same books."""
    keys: dict[str, Key] = field(default_factory=lambda: {TEST_KEY: Key()})
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def load(self, account: Mapping[str, Any]) -> None:
        """Take in finished objects by stream, oldest first, with their lines and events."""
        for kind, known in self.objects.items():
            for one in account.get(kind, ()):
                known[one["id"]] = one
        for parent, lines in account.get("invoice_line_items", {}).items():
            self.lines["invoices", parent] = list(lines)
        for customer, entries in account.get("customer_balance_transactions", {}).items():
            self.balances[customer] = list(entries)
        self.events += account.get("events", ())

    def apply(
        self, changed: Mapping[str, Any], gone: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Put new and changed objects in place; events are among the changed."""
        for kind, ids in (gone or {}).items():
            for one in ids:
                self.objects.get(kind, {}).pop(one, None)
        self.load(changed)

    def has(self, kind: str, event: str | None = "", **fields: Any) -> dict[str, Any]:
        """Make an object; its event is logged unless ``event`` is None."""
        name = PREFIXES[kind].rsplit(".", maxsplit=1)[-1]
        number = next(self._numbers)
        one = {
            "id": f"{name[:3]}_{number:06}",
            "object": name,
            "created": int(self.now.timestamp()),
            "livemode": False,
            "metadata": {},
            **fields,
        }
        self.objects[kind][one["id"]] = one
        if event is not None:
            self.log(f"{PREFIXES[kind]}.{event or FIRST_EVENTS.get(kind, 'created')}", one)
        return one

    def change(self, kind: str, object_id: str, event: str = "updated", **fields: Any) -> None:
        """Change an object and log it."""
        one = self.objects[kind][object_id]
        before = {name: one.get(name) for name in fields}
        one |= fields
        self.log(f"{PREFIXES[kind]}.{event}", one, before)

    def delete(self, kind: str, object_id: str) -> None:
        """Delete an object for good; only the event tells."""
        one = self.objects[kind].pop(object_id)
        self.log(f"{PREFIXES[kind]}.deleted", one)

    def log(self, name: str, one: dict[str, Any], before: Mapping[str, Any] | None = None) -> None:
        """Write an event with the object as it is now."""
        self.events.append(
            {
                "id": f"evt_{next(self._numbers):08}",
                "object": "event",
                "api_version": "2024-06-20",
                "created": int(self.now.timestamp()),
                "data": {"object": copy.deepcopy(one), "previous_attributes": dict(before or {})},
                "livemode": False,
                "type": name,
            }
        )

    def advance(self, **duration: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**duration)
        return self.now

    def known_events(self) -> list[dict[str, Any]]:
        """The log as far as it reaches, newest first."""
        oldest = int((self.now - EVENTS_KEPT).timestamp())
        kept = [event for event in self.events if event["created"] >= oldest]
        return sorted(kept, key=lambda event: event["created"], reverse=True)
