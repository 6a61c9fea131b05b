"""Records read but not landed yet, and the cursor that covers them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.base.stream import Cursor, Page, Record

BATCH_RECORDS = 20_000
BATCH_BYTES = 64 * 1024**2
BATCH_SECONDS = 30.0


@dataclass(slots=True)
class Batch:
    """Whole pages, in the order in which they came.

    ``cursor`` is that of the last page that had one: everything before it is in this batch
    or has landed.
    """

    records: list[Record] = field(default_factory=list)
    children: dict[str, list[Record]] = field(default_factory=dict)
    cursor: Cursor | None = None
    size: int = 0
    since: float = field(default_factory=time.monotonic)

    def add(self, page: Page) -> None:
        """Take a page in."""
        self.records.extend(page.records)
        self.size += _size(page.records)
        for name, records in page.children.items():
            self.children.setdefault(name, []).extend(records)
            self.size += _size(records)
        if page.cursor is not None:
            self.cursor = page.cursor

    @property
    def count(self) -> int:
        """Records in all, children included."""
        return len(self.records) + sum(map(len, self.children.values()))

    @property
    def is_full(self) -> bool:
        """Is it time to land, by number, by bytes, or because the first page waits long?"""
        old = time.monotonic() - self.since > BATCH_SECONDS
        return self.count >= BATCH_RECORDS or self.size >= BATCH_BYTES or old


def _size(records: Sequence[Record]) -> int:
    return sum(len(record.payload or b"") for record in records)
