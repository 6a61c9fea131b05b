"""A HubSpot account in memory: records with history, and what happens to them.

Tests and the fictional company fill it; the server shows it as HubSpot would. Its clock
stands still unless it is moved, so that the same story gives the same bytes.

    state = HubspotState()
    deal = state.has("deals", {"dealname": "Acme", "dealstage": "qualifiedtobuy"})
    state.advance(hours=2)
    state.set_property("deals", deal, "dealstage", "closedwon")
"""

import bisect
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.hubspot.index import Indexed, SearchIndex, snapshot
from sandbox.hubspot.record import Entry, iso
from sandbox.hubspot.schema import (
    ASSOCIATION_TYPES,
    OBJECT_TYPES,
    STANDARD,
    cursor_property,
    property_definition,
)

ARCHIVE_DAYS = 90
USER_DEFINED_TYPES_FROM = 900
PIPELINES_OF = {
    "deal_pipelines": "deals",
    "lead_pipelines": "leads",
    "ticket_pipelines": "tickets",
}


class HubspotState:
    """All that one account holds. Every method that changes a record moves its clock mark."""

    def __init__(
        self,
        *,
        now: datetime = datetime(2026, 10, 15, 6, tzinfo=UTC),
        portal_id: int = 147_000_001,
        home_currency: str = "EUR",
        time_zone: str = "Europe/Berlin",
        index_lag: timedelta = timedelta(minutes=5),
        history_depth: int = 20,
    ) -> None:
        self.now = now
        self.portal_id = portal_id
        self.home_currency = home_currency
        self.time_zone = time_zone
        self.index_lag = index_lag
        """How long a change made from now on stays out of search."""
        self.history_depth = history_depth
        self.owners: list[dict[str, Any]] = []
        self.pipelines: dict[str, list[dict[str, Any]]] = {
            kind: [] for kind in PIPELINES_OF.values()
        }
        self.exchange_rates: list[dict[str, Any]] = []
        self.custom_properties: dict[str, dict[str, str]] = {name: {} for name in OBJECT_TYPES}
        """Object type -> property name -> when it was made."""
        self._entries: dict[str, dict[str, Entry]] = {name: {} for name in OBJECT_TYPES}
        self._ids: dict[tuple[str, bool], list[int]] = {
            (name, archived): [] for name in OBJECT_TYPES for archived in (False, True)
        }
        self._search = SearchIndex()
        self._next_ids = {name: 1_000_000 * (place + 1) for place, name in enumerate(OBJECT_TYPES)}
        self._labels: dict[str, int] = {}
        self._definitions: dict[str, list[dict[str, Any]]] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._standard = {name: frozenset(names) for name, names in STANDARD.items()}

    # What there is.

    def entry(self, object_type: str, record_id: str) -> Entry | None:
        """A record, archived or not; None when it was never there or is purged or merged."""
        return self._entries[object_type].get(record_id)

    def ids(self, object_type: str, *, archived: bool = False) -> list[str]:
        """Ids that the list endpoint shows, ascending by number."""
        found = [str(number) for number in self._ids[object_type, archived]]
        return [one for one in found if self._is_listed(object_type, one)] if archived else found

    def page(self, object_type: str, *, archived: bool, after: int, limit: int) -> list[Entry]:
        """Up to ``limit`` records whose id is above ``after``, ascending."""
        ids = self._ids[object_type, archived]
        entries: list[Entry] = []
        for number in itertools.islice(ids, bisect.bisect_right(ids, after), None):
            if not archived or self._is_listed(object_type, str(number)):
                entries.append(self._entries[object_type][str(number)])
                if len(entries) == limit:
                    break
        return entries

    def _is_listed(self, object_type: str, record_id: str) -> bool:
        """Archived records are shown for about 90 days."""
        archived_at = self._entries[object_type][record_id].archived_at
        oldest = iso(self.now - timedelta(days=ARCHIVE_DAYS))
        return archived_at is not None and archived_at > oldest

    def definitions(self, object_type: str) -> list[dict[str, Any]]:
        """The property definitions of an object type, standard and custom."""
        standard = self._definitions.get(object_type) or [
            property_definition(name, custom=False, at="2019-08-06T02:41:09.148Z")
            for name in dict.fromkeys(STANDARD[object_type])
        ]
        return standard + [
            property_definition(name, custom=True, at=at)
            for name, at in self.custom_properties[object_type].items()
        ]

    def property_names(self, object_type: str) -> frozenset[str]:
        """The names of all defined properties."""
        known = self._names.get(object_type)
        if known is None:
            known = frozenset(one["name"] for one in self.definitions(object_type))
            self._names[object_type] = known
        return known

    def searchable(self, object_type: str) -> Mapping[str, Indexed]:
        """What search knows at this moment."""
        return self._search.shown(object_type, self.now)

    # What happens.

    def advance(self, **duration: float) -> datetime:
        """Move the account's clock on, by the arguments of a timedelta; returns it."""
        self.now += timedelta(**duration)
        return self.now

    def has(
        self,
        object_type: str,
        properties: Mapping[str, str | None] | None = None,
        *,
        record_id: str | None = None,
        at: datetime | None = None,
        associations: Mapping[str, Iterable[str]] | None = None,
    ) -> str:
        """Make a record; returns its id."""
        if record_id is None:
            self._next_ids[object_type] += 1
            record_id = str(self._next_ids[object_type])
        when = iso(at or self.now)
        created = "hs_createdate" if "hs_createdate" in STANDARD[object_type] else "createdate"
        entry = Entry(
            id=record_id,
            properties={created: when, "hs_object_id": record_id},
            created_at=when,
            updated_at=when,
        )
        self._entries[object_type][record_id] = entry
        bisect.insort(self._ids[object_type, False], int(record_id))
        for name, value in (properties or {}).items():
            self._write(object_type, entry, name, value, when, source="INTEGRATION", user=None)
        self._touch(object_type, entry, when)
        for to_type, to_ids in (associations or {}).items():
            for to_id in to_ids:
                self.associate(object_type, record_id, to_type, to_id)
        return record_id

    def set_property(
        self,
        object_type: str,
        record_id: str,
        name: str,
        value: str | None,
        *,
        at: datetime | None = None,
        user: int | None = 9001,
        quiet: bool = False,
    ) -> None:
        """Change a property; ``quiet`` leaves the modification mark, as rollups may."""
        entry = self._entries[object_type][record_id]
        when = iso(at or self.now)
        self._write(object_type, entry, name, value, when, source="CRM_UI", user=user)
        if not quiet:
            self._touch(object_type, entry, when)

    def archive(self, object_type: str, record_id: str) -> None:
        """Delete as HubSpot deletes: to the archive, its modification mark unmoved."""
        entry = self._entries[object_type][record_id]
        entry.archived_at = iso(self.now)
        self._move(object_type, record_id, archived=True)
        self._push(object_type, record_id, None)

    def restore(self, object_type: str, record_id: str) -> None:
        """Take a record out of the archive, its modification mark unmoved."""
        entry = self._entries[object_type][record_id]
        entry.archived_at = None
        self._move(object_type, record_id, archived=False)
        self._push(object_type, record_id, snapshot(object_type, entry))

    def purge(self, object_type: str, record_id: str) -> None:
        """Remove without a trace, as a GDPR delete does."""
        entry = self._entries[object_type].pop(record_id)
        self._ids[object_type, entry.archived_at is not None].remove(int(record_id))
        self._push(object_type, record_id, None)
        for to_type, targets in entry.associations.items():
            for to_id in targets:
                other = self._entries[to_type].get(to_id)
                if other is not None:
                    other.associations.get(object_type, {}).pop(record_id, None)

    def merge(self, object_type: str, winner: str, loser: str, *, new_id: str | None = None) -> str:
        """Merge two records; returns the survivor's id.

        The survivor keeps the winner's id, or gets ``new_id``; whoever lost its id stands in
        ``hs_merged_object_ids`` and is in no list, archived or not.
        """
        kept, lost = self._entries[object_type][winner], self._entries[object_type][loser]
        known = [one.properties.get("hs_merged_object_ids") or "" for one in (kept, lost)]
        gone = {one for text in known for one in text.split(";") if one} | {loser}
        moved = [
            (to_type, to_id)
            for entry in (lost, kept)
            for to_type, targets in entry.associations.items()
            for to_id in targets
        ]
        properties, history = dict(kept.properties), dict(kept.history)
        self.purge(object_type, loser)
        survivor = winner
        if new_id is not None:
            self.purge(object_type, winner)
            gone.add(winner)
            survivor = self.has(object_type, {}, record_id=new_id)
            fresh = self._entries[object_type][survivor]
            fresh.properties = {**properties, **fresh.properties}
            fresh.history = history
        for to_type, to_id in moved:
            if to_id in self._entries[to_type]:
                self.associate(object_type, survivor, to_type, to_id)
        ids = ";".join(sorted(gone, key=int))
        self.set_property(object_type, survivor, "hs_merged_object_ids", ids)
        return survivor

    def associate(
        self,
        object_type: str,
        record_id: str,
        to_type: str,
        to_id: str,
        *,
        primary: bool = False,
        label: str | None = None,
    ) -> None:
        """Tie two records both ways; nobody's modification mark moves."""
        self._tie(object_type, record_id, to_type, to_id, primary=primary, label=label)
        self._tie(to_type, to_id, object_type, record_id, primary=primary, label=label)

    def dissociate(self, object_type: str, record_id: str, to_type: str, to_id: str) -> None:
        """Untie two records; nobody's modification mark moves."""
        self._entries[object_type][record_id].associations[to_type].pop(to_id, None)
        self._entries[to_type][to_id].associations[object_type].pop(record_id, None)

    def define_property(self, object_type: str, name: str) -> None:
        """Make a custom property."""
        if name not in self.property_names(object_type):
            self.custom_properties[object_type][name] = iso(self.now)
            self._names.pop(object_type, None)

    def load(self, account: Mapping[str, Any]) -> None:
        """Take in finished records as they are: histories, stamps and associations.

        ``account`` maps each object type to records ``{"id", "properties", "history":
        {name: [newest first]}, "createdAt", "updatedAt", "archived", "archivedAt",
        "associations": {type: [id, ...]}}``; the first company of a record is its primary
        one. It may also hold ``owners``, ``deal_pipelines``, ``lead_pipelines``,
        ``ticket_pipelines``, ``exchange_rates``, ``company_currency`` and ``properties``
        (definitions by type).
        """
        self._load_objects(account)
        self.owners += account.get("owners", [])
        for name, kind in PIPELINES_OF.items():
            self.pipelines[kind] += account.get(name, [])
        self.exchange_rates += account.get("exchange_rates", [])
        self.home_currency = account.get("company_currency", self.home_currency)
        for kind, definitions in account.get("properties", {}).items():
            self._definitions[kind] = list(definitions)
            for one in definitions:
                self.custom_properties[kind].pop(one["name"], None)
        self._names.clear()

    def apply(
        self, changed: Mapping[str, Any], gone: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Put finished records in place of the older ones, and take others out of every list.

        ``changed`` has the form that ``load`` takes, new records included. What changed less
        than the index lag ago stays out of search until then.
        """
        for kind, record_ids in (gone or {}).items():
            for record_id in record_ids:
                self.purge(kind, record_id)
        self._load_objects(changed)
        self.owners = _replaced(self.owners, changed.get("owners", ()))
        self.exchange_rates = _replaced(self.exchange_rates, changed.get("exchange_rates", ()))
        for name, kind in PIPELINES_OF.items():
            self.pipelines[kind] = _replaced(self.pipelines[kind], changed.get(name, ()))

    # How it is kept.

    def _load_objects(self, account: Mapping[str, Any]) -> None:
        kinds = [kind for kind in OBJECT_TYPES if kind in account]
        for kind in kinds:
            for record in account[kind]:
                self._load_entry(kind, record)
        for kind in kinds:
            for record in account[kind]:
                for to_type, targets in record.get("associations", {}).items():
                    for rank, target in enumerate(targets):
                        if target in self._entries[to_type]:
                            primary = to_type == "companies" and rank == 0
                            self.associate(kind, record["id"], to_type, target, primary=primary)

    def _load_entry(self, object_type: str, record: Mapping[str, Any]) -> None:
        properties = dict(record["properties"])
        properties["hs_object_id"] = record["id"]
        properties.setdefault(cursor_property(object_type), record["updatedAt"])
        archived = bool(record.get("archived"))
        entry = Entry(
            id=record["id"],
            properties=properties,
            created_at=record["createdAt"],
            updated_at=record["updatedAt"],
            history={name: list(past) for name, past in record.get("history", {}).items()},
            archived_at=record.get("archivedAt") if archived else None,
        )
        known = self._entries[object_type].get(entry.id)
        if known is not None:
            self._ids[object_type, known.archived_at is not None].remove(int(entry.id))
            # Ties that the partners hold stay; those that the record names come anew.
            for to_type in record.get("associations", {}):
                for to_id in list(known.associations.get(to_type, {})):
                    self.dissociate(object_type, entry.id, to_type, to_id)
            entry.associations = known.associations
            if archived:
                self._push(object_type, entry.id, None)
        self._entries[object_type][entry.id] = entry
        bisect.insort(self._ids[object_type, archived], int(entry.id))
        for name in properties.keys() - self._standard[object_type]:
            self.custom_properties[object_type].setdefault(name, "2023-10-02T07:00:00.000Z")
        if not archived:
            visible_at = datetime.fromisoformat(entry.updated_at) + self.index_lag
            self._search.load(object_type, entry, visible_at, self.now)

    def _tie(
        self,
        object_type: str,
        record_id: str,
        to_type: str,
        to_id: str,
        *,
        primary: bool,
        label: str | None,
    ) -> None:
        plain, primary_type = ASSOCIATION_TYPES[object_type, to_type]
        types = (
            self._entries[object_type][record_id]
            .associations.setdefault(to_type, {})
            .setdefault(to_id, [])
        )
        wanted: list[tuple[str, int, str | None]] = [("HUBSPOT_DEFINED", plain, None)]
        if primary and primary_type is not None:
            wanted.append(("HUBSPOT_DEFINED", primary_type, "Primary"))
        if label is not None:
            number = self._labels.setdefault(
                f"{object_type}:{to_type}:{label}", USER_DEFINED_TYPES_FROM + len(self._labels)
            )
            wanted.append(("USER_DEFINED", number, label))
        for category, type_id, text in wanted:
            kind = {"category": category, "typeId": type_id, "label": text}
            if kind not in types:
                types.append(kind)

    def _write(
        self,
        object_type: str,
        entry: Entry,
        name: str,
        value: str | None,
        when: str,
        *,
        source: str,
        user: int | None,
    ) -> None:
        if name not in self._standard[object_type]:
            self.define_property(object_type, name)
        entry.properties = {**entry.properties, name: value}
        change: dict[str, Any] = {"value": value or "", "timestamp": when, "sourceType": source}
        if user is not None:
            change |= {"sourceId": f"userId:{user}", "updatedByUserId": user}
        past: Sequence[dict[str, Any]] = entry.history.get(name, [])
        entry.history = {**entry.history, name: [change, *past][: self.history_depth]}

    def _touch(self, object_type: str, entry: Entry, when: str) -> None:
        entry.updated_at = when
        entry.properties = {**entry.properties, cursor_property(object_type): when}
        self._push(object_type, entry.id, snapshot(object_type, entry))

    def _push(self, object_type: str, record_id: str, snapshot: Indexed | None) -> None:
        self._search.push(object_type, record_id, snapshot, self.now + self.index_lag)

    def _move(self, object_type: str, record_id: str, *, archived: bool) -> None:
        self._ids[object_type, not archived].remove(int(record_id))
        bisect.insort(self._ids[object_type, archived], int(record_id))


def _replaced(
    rows: list[dict[str, Any]], changed: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Rows with those of the same id replaced, and new ones at the end."""
    return list(
        {**{one["id"]: one for one in rows}, **{one["id"]: one for one in changed}}.values()
    )
