"""The site behind the sandbox Chargebee: objects in every version, and the event log."""

import copy
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

API_KEY = "test_sandbox0000000000000000000000000"
EVENTS_KEPT = timedelta(days=90)
OBJECTS = {
    "customers": "customer",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "credit_notes": "credit_note",
    "transactions": "transaction",
    "quotes": "quote",
    "orders": "order",
    "item_families": "item_family",
    "items": "item",
    "item_prices": "item_price",
    "plans": "plan",
    "addons": "addon",
    "coupons": "coupon",
    "promotional_credits": "promotional_credit",
}
DATED = frozenset({"invoices", "credit_notes", "transactions", "quotes"})
"""Kinds that bear a date of their own in place of created_at."""
UNDATED = frozenset({"items", "item_families", "plans", "addons"})
"""Kinds that tell no time of their making."""
FLAGGED = frozenset(
    {
        *("customers", "subscriptions", "invoices", "credit_notes", "transactions", "quotes"),
        *("orders", "plans", "addons"),
    }
)
"""Kinds whose deleted objects the list shows when it is asked for them."""


@dataclass(slots=True)
class Key:
    """An API key; ``forbidden`` are paths that it may not read."""

    forbidden: frozenset[str] = frozenset()


@dataclass(slots=True)
class Kept:
    """One object: when each of its versions was made, and the place in which it was made."""

    place: int
    versions: list[tuple[datetime, dict[str, Any] | None]] = field(default_factory=list)

    def at(self, instant: datetime) -> dict[str, Any] | None:
        """The version that lists show at an instant."""
        known = [content for made, content in self.versions if made <= instant]
        return known[-1] if known else None


@dataclass(slots=True)
class ChargebeeState:
    """Objects by kind and id. ``lag`` is how long lists take to show a change."""

    now: datetime = datetime(2026, 10, 15, 6, tzinfo=UTC)
    domain: str = "acme-test"
    catalog: str = "v2"
    lag: timedelta = timedelta(0)
    disabled: set[str] = field(default_factory=set)
    """Kinds whose feature the site does not have."""
    objects: dict[str, dict[str, Kept]] = field(
        default_factory=lambda: {name: {} for name in OBJECTS}
    )
    line_groups: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Quote id -> groups of lines."""
    events: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, Key] = field(default_factory=lambda: {API_KEY: Key()})
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def load(self, site: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        """Take in finished objects by kind; an object that is known gets a new version."""
        for kind, objects in site.items():
            for one in objects:
                if kind == "line_groups":
                    self.line_groups[one["quote_id"]] = list(one["groups"])
                    continue
                known = self.objects[kind].setdefault(one["id"], Kept(next(self._numbers)))
                known.versions.append((self.now, copy.deepcopy(dict(one))))

    def has(self, kind: str, object_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """Make an object; its event is logged."""
        place = next(self._numbers)
        at = int(self.now.timestamp())
        one: dict[str, Any] = {"id": object_id or f"{OBJECTS[kind]}_{place:06}"}
        if kind in DATED:
            one["date"] = at
        elif kind not in UNDATED:
            one["created_at"] = at
        if kind != "promotional_credits":
            one |= {"updated_at": at, "resource_version": at * 1000 + place % 1000}
        if kind in FLAGGED:
            one["deleted"] = False
        one |= {"object": OBJECTS[kind], **fields}
        one = {name: value for name, value in one.items() if value is not None}
        kept = self.objects[kind].get(one["id"])
        if kept is None or kept.versions[-1][1] is not None:
            kept = self.objects[kind][one["id"]] = Kept(place)
        kept.versions.append((self.now, one))
        self._log(f"{OBJECTS[kind]}_created", one)
        return dict(one)

    def change(self, kind: str, object_id: str, **fields: Any) -> dict[str, Any]:
        """Give an object a new version; a field that is None is taken away."""
        before = self.shown(kind, object_id)
        at = int(self.now.timestamp())
        version = max(at * 1000, before.get("resource_version", 0) + 1)
        stamps = {} if kind == "promotional_credits" else {
            "updated_at": at, "resource_version": version
        }  # fmt: skip
        one = {**before, **stamps, **fields}
        one = {name: value for name, value in one.items() if value is not None}
        self.objects[kind][object_id].versions.append((self.now, one))
        self._log(f"{OBJECTS[kind]}_updated", one)
        return dict(one)

    def delete(self, kind: str, object_id: str) -> None:
        """Delete an object: flagged where its list shows it, gone where not."""
        if kind in FLAGGED:
            one = self.change(kind, object_id, deleted=True)
            self.events.pop()
        else:
            one = self.shown(kind, object_id)
            self.objects[kind][object_id].versions.append((self.now, None))
        self._log(f"{OBJECTS[kind]}_deleted", one)

    def shown(self, kind: str, object_id: str) -> dict[str, Any]:
        """The newest version; KeyError if there is none."""
        content = self.objects[kind][object_id].versions[-1][1]
        if content is None:
            raise KeyError(object_id)
        return content

    def held(self, kind: str) -> dict[str, dict[str, Any]]:
        """The newest version of everything that is not deleted, by id."""
        newest = {one: kept.versions[-1][1] for one, kept in self.objects[kind].items()}
        return {
            one: content
            for one, content in newest.items()
            if content is not None and not content.get("deleted")
        }

    def advance(self, **duration: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**duration)
        return self.now

    def known_events(self) -> list[dict[str, Any]]:
        """The log as far as it reaches, oldest first."""
        oldest = int((self.now - EVENTS_KEPT).timestamp())
        return [event for event in self.events if event["occurred_at"] >= oldest]

    def _log(self, name: str, one: Mapping[str, Any]) -> None:
        at = int(self.now.timestamp())
        self.events.append(
            {
                "id": f"ev_{next(self._numbers):08}",
                "occurred_at": at,
                "source": "admin_console",
                "object": "event",
                "api_version": "v2",
                "content": {one["object"]: copy.deepcopy(dict(one))},
                "event_type": name,
                "webhook_status": "not_configured",
                "webhooks": [],
            }
        )
