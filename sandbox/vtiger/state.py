"""A Vtiger in memory: modules of records, who may see them, and what happens to them.

Tests and the fictional company fill it. Every value is text or null, as PHP shows what
MySQL holds; record numbers are one sequence over all modules; a second is the smallest
step of its clock.

    state = VtigerState()
    deal = state.has("Potentials", potentialname="Acme", sales_stage="Prospecting")
    state.advance(hours=2)
    state.change(deal, sales_stage="Closed Won")
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.vtiger.schema import (
    FIELDS,
    INVENTORY,
    PREFIXES,
    REFERENCES,
    WITHOUT_CLOCK,
    Row,
    field_description,
)

FORM = "%Y-%m-%d %H:%M:%S"
ADMIN = "pipeledger"
ACCESS_KEY = "Tr0ub4dor3Access"


@dataclass(slots=True)
class Entry:
    """One record. ``lines`` are an inventory document's own, ``copies`` what joins make of it."""

    module: str
    number: int
    row: Row
    is_deleted: bool = False
    is_converted: bool = False
    lines: list[Row] = field(default_factory=list)
    copies: int = 1

    @property
    def id(self) -> str:
        """As the web service writes it."""
        return f"{PREFIXES[self.module]}x{self.number}"

    @property
    def is_listed(self) -> bool:
        """Whether queries show it, permissions aside."""
        if self.module == "Users":
            return self.row.get("status") == "Active"
        return not (self.is_deleted or self.is_converted)


@dataclass(slots=True)
class Login:
    """Who may sign in, and what is hidden from them."""

    name: str
    access_key: str | None
    user_id: str
    is_admin: bool = True
    is_active: bool = True
    hidden: set[str] = field(default_factory=set)
    modules_hidden: set[str] = field(default_factory=set)


class VtigerState:
    """All that one installation holds."""

    def __init__(
        self,
        *,
        now: datetime = datetime(2026, 10, 15, 6, tzinfo=UTC),
        zone: str = "UTC",
        modules: tuple[str, ...] = tuple(PREFIXES),
    ) -> None:
        self.now = now
        self.zone = ZoneInfo(zone)
        self.modules = list(modules)
        self.entries: dict[str, dict[int, Entry]] = {name: {} for name in PREFIXES}
        self.custom: dict[str, dict[str, str]] = {name: {} for name in PREFIXES}
        """Module -> name of a custom field -> its label."""
        self.picklists: dict[tuple[str, str], list[str]] = {}
        self._next = 1
        owner = self.has("Users", user_name=ADMIN, status="Active", is_admin="on")
        self.logins = {ADMIN: Login(ADMIN, ACCESS_KEY, owner)}

    # What happens.

    def advance(self, **step: int) -> None:
        """Let time pass."""
        self.now += timedelta(**step)

    def text(self, moment: datetime) -> str:
        """An instant as the database holds it: seconds, in its own zone, without saying so."""
        return moment.astimezone(self.zone).strftime(FORM)

    def has(
        self,
        module: str,
        given: Row | None = None,
        *,
        at: datetime | None = None,
        **values: str | None,
    ) -> str:
        """Put a record in; returns its id. ``at`` is when it was made and modified."""
        number, self._next = self._next, self._next + 1
        stamp = self.text(at or self.now)
        row: Row = {} if module in WITHOUT_CLOCK else {"createdtime": stamp, "modifiedtime": stamp}
        entry = Entry(module, number, {**row, **(given or {}), **values})
        self.entries[module][number] = entry
        return entry.id

    def put(self, entry: Entry) -> None:
        """Put in a record that was made elsewhere, number and clock included."""
        self.entries[entry.module][entry.number] = entry
        self._next = max(self._next, entry.number + 1)

    def load(self, held: Mapping[str, list[dict[str, Any]]]) -> None:
        """Take over a company's records; what it held before and is not shown now is deleted."""
        for module, records in held.items():
            before = self.entries[module]
            mine = {self.logins[name].user_id for name in self.logins}
            gone = set(before) - {int(one["number"]) for one in records}
            for number in gone:
                if before[number].id not in mine:
                    self.delete(before[number].id)
            for one in records:
                known = before.get(one["number"])
                if known is None or (known.row, known.lines) != (one["row"], one["lines"]):
                    self.put(Entry(**one, copies=max(1, len(one["lines"]))))
                else:
                    known.is_deleted, known.is_converted = one["is_deleted"], one["is_converted"]

    def with_lines(self, record_id: str, *lines: Row) -> None:
        """Give an inventory document its lines; a query joins each of them in."""
        entry = self.entry(record_id)
        entry.lines = list(lines)
        entry.copies = max(1, len(lines))

    def change(self, record_id: str, **values: str | None) -> None:
        """Edit a record."""
        entry = self.entry(record_id)
        entry.row = {**entry.row, **values, "modifiedtime": self.text(self.now)}

    def move_stock(self, product_id: str, quantity: str) -> None:
        """What an order or a purchase does to a product: its clock stays."""
        self.entry(product_id).row["qtyinstock"] = quantity

    def delete(self, record_id: str) -> None:
        """Move to the recycle bin, which counts as an edit."""
        self.change(record_id)
        self.entry(record_id).is_deleted = True

    def purge(self, record_id: str) -> None:
        """Empty the recycle bin of a record: not even ``sync`` tells of it."""
        entry = self.entry(record_id)
        del self.entries[entry.module][entry.number]

    def restore(self, record_id: str) -> None:
        """Take out of the recycle bin; the clock of the record stays."""
        self.entry(record_id).is_deleted = False

    def merge(self, survivor: str, loser: str) -> None:
        """Merge two records: one is edited, the other deleted, and neither says why."""
        self.change(survivor)
        self.delete(loser)

    def convert(self, lead: str, **deal: str | None) -> str:
        """Convert a lead; returns the deal that came of it."""
        self.change(lead)
        self.entry(lead).is_converted = True
        return self.has("Potentials", deal, isconvertedfromlead="1")

    # What there is.

    def entry(self, record_id: str) -> Entry:
        """A record by its id; KeyError if it never was or is purged."""
        prefix, _, number = record_id.partition("x")
        return self.entries[self.module_of(prefix)][int(number)]

    @staticmethod
    def module_of(prefix: str) -> str:
        """The module behind the number before the x; KeyError if there is none."""
        return next(name for name, one in PREFIXES.items() if str(one) == prefix)

    def ids(self, module: str) -> list[str]:
        """Ids of what queries show an administrator, ascending by number."""
        found = self.entries[module].values()
        return [one.id for one in sorted(found, key=lambda e: e.number) if one.is_listed]

    def fields(self, module: str) -> list[str]:
        """The fields of a module, custom ones last."""
        return [*FIELDS[module], *self.custom[module]]

    def shown(self, entry: Entry) -> Row:
        """A record as a query shows it: every field, text or null."""
        row: Row = {}
        for name in self.fields(entry.module):
            value = entry.row.get(name, "")
            if value and name in REFERENCES:
                value = value if self._exists(value) else None
            row[name] = value
        if entry.module in INVENTORY and entry.lines:
            # One line is joined in, and nobody can say which.
            row.update({k: v for k, v in entry.lines[-1].items() if k != "id"})
        row["id"] = entry.id
        return row

    def retrieved(self, entry: Entry) -> dict[str, Any]:
        """A record as ``retrieve`` shows it: with its lines where it has any."""
        row: dict[str, Any] = {name: entry.row.get(name, "") for name in self.fields(entry.module)}
        row["id"] = entry.id
        if entry.module in INVENTORY:
            row["LineItems"] = [
                {"parent_id": entry.id, "sequence_no": str(place), **line}
                for place, line in enumerate(entry.lines, 1)
            ]
            row["productid"] = entry.lines[0].get("productid") if entry.lines else ""
            row["LineItems_FinalDetails"] = {"1": {"qtyInStock1": str(self.now.timestamp())}}
        return row

    def _exists(self, record_id: str) -> bool:
        prefix, cross, number = record_id.partition("x")
        if not cross:
            return True
        found = self.entries[self.module_of(prefix)].get(int(number))
        return found is not None and not found.is_deleted

    def description(self, module: str) -> dict[str, Any]:
        """A module as ``describe`` tells it."""
        fields = [
            field_description(
                name,
                self.custom[module].get(name) or name.replace("_", " ").title(),
                self.picklists.get((module, name)),
            )
            for name in self.fields(module)
        ]
        return {
            "label": module,
            "name": module,
            "createable": True,
            "updateable": True,
            "deleteable": True,
            "retrieveable": True,
            "fields": [*fields, field_description("id", "Id", None)],
            "idPrefix": str(PREFIXES[module]),
            "isEntity": module not in WITHOUT_CLOCK,
            "allowDuplicates": True,
            "labelFields": FIELDS[module][0],
        }
