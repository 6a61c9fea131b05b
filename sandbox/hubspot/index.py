"""The search index of an account: it learns of each change a while after it was made."""

import heapq
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sandbox.hubspot.record import Entry, epoch_ms
from sandbox.hubspot.schema import OBJECT_TYPES, cursor_property


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the search index holds of a record: as it was when it was indexed."""

    properties: dict[str, str | None]
    created_at: str
    updated_at: str
    changed_ms: int


def snapshot(object_type: str, entry: Entry) -> Indexed:
    """A record as it is now, for the index."""
    changed = entry.properties.get(cursor_property(object_type)) or entry.updated_at
    return Indexed(entry.properties, entry.created_at, entry.updated_at, epoch_ms(changed))


class SearchIndex:
    """What search shows, and what it will show once it has been indexed."""

    def __init__(self) -> None:
        self._shown: dict[str, dict[str, Indexed]] = {name: {} for name in OBJECT_TYPES}
        self._pending: list[tuple[datetime, int, str, str]] = []
        self._snapshots: dict[int, Indexed | None] = {}
        self._sequence = itertools.count()

    def shown(self, object_type: str, now: datetime) -> Mapping[str, Indexed]:
        """What search knows at a moment, by record id."""
        while self._pending and self._pending[0][0] <= now:
            _, number, kind, record_id = heapq.heappop(self._pending)
            taken = self._snapshots.pop(number)
            if taken is None:
                self._shown[kind].pop(record_id, None)
            else:
                self._shown[kind][record_id] = taken
        return self._shown[object_type]

    def push(
        self, object_type: str, record_id: str, taken: Indexed | None, visible_at: datetime
    ) -> None:
        """Show a record as it was taken, or no more, from a moment on."""
        number = next(self._sequence)
        self._snapshots[number] = taken
        heapq.heappush(self._pending, (visible_at, number, object_type, record_id))

    def load(self, object_type: str, entry: Entry, visible_at: datetime, now: datetime) -> None:
        """Take in a finished record, at once where it is old enough."""
        taken = snapshot(object_type, entry)
        if visible_at > now:
            self.push(object_type, entry.id, taken, visible_at)
            return
        self.shown(object_type, now)  # so that nothing older is applied after this
        self._shown[object_type][entry.id] = taken
