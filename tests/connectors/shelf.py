"""A shelf that keeps versions as landing does, for tests that need no disk."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.base.errors import PipeledgerError
from connectors.base.stream import Connector, Cursor, Page, ReadRequest, Record, Rejected, Resources

ENDED = ("deleted", "merged")
NOT_LISTED = (*ENDED, "archived", "access_lost", "converted")


@dataclass
class Outcome:
    """What one sync of one stream did."""

    pages: list[Page] = field(default_factory=list)
    added: list[Record] = field(default_factory=list)
    error: PipeledgerError | None = None

    @property
    def ids(self) -> list[str]:
        """Ids of the new versions, in order."""
        return [record.record_id for record in self.added]

    @property
    def notes(self) -> list[str]:
        """What the reader told the report."""
        return [page.note for page in self.pages if page.note]


@dataclass
class Shelf(ABC):
    """Landing in memory: versions per stream and id, unchanged ones dropped.

    ``settings`` are those of the test, beside what reaches the ``server``.
    """

    server: Any
    state_dir: Path
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, dict[str, list[Record]]] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    connector: ClassVar[Connector]

    @abstractmethod
    def reach(self) -> dict[str, Any]:
        """The settings by which the vendor's server is reached."""

    def configured(self, **more: Any) -> BaseModel:
        """The connection's settings."""
        return self.connector.settings.model_validate({**self.reach(), **self.settings, **more})

    def resources(self) -> Resources:
        """The connection's own folder and the server's clock."""
        return Resources("crm", str(self.state_dir), lambda: self.server.state.now)

    async def sync(
        self, *streams: str, full: bool = False, stop_after: int | None = None
    ) -> dict[str, Outcome]:
        """Read streams one after the other in one session."""
        async with self.connector.open(self.configured(), self.resources()) as session:
            return {
                name: await self._read(session, name, full=full, stop_after=stop_after)
                for name in streams
            }

    async def deals(self, **options: Any) -> Outcome:
        """Read the deals; a fault of theirs is raised."""
        outcome = (await self.sync("deals", **options))["deals"]
        if outcome.error is not None:
            raise outcome.error
        return outcome

    async def _read(
        self, session: Any, name: str, *, full: bool, stop_after: int | None
    ) -> Outcome:
        stream = self.connector.stream(name)
        request = ReadRequest(
            stream,
            "crm",
            self.server.state.now,
            None if full else self.cursors.get(name),
            full,
            live_ids=lambda: self._ids(name, ENDED),
            archived_ids=lambda: [one for one, last in self.newest(name) if last == "archived"],
            listed_ids=lambda: self._ids(name, NOT_LISTED),
        )
        outcome = Outcome()
        assert stream.read is not None
        try:
            async for page in stream.read(session, request):
                outcome.pages.append(page)
                self._take(name, page, outcome)
                if len(outcome.pages) == stop_after:
                    break  # left as by a crash
        except PipeledgerError as error:
            outcome.error = error
        return outcome

    def newest(self, stream: str) -> list[tuple[str, str]]:
        """Id and change of every record's newest version."""
        return [(one, past[-1].change) for one, past in self.versions.get(stream, {}).items()]

    def _ids(self, stream: str, ended: Sequence[str]) -> list[str]:
        return [one for one, change in self.newest(stream) if change not in ended]

    def _take(self, name: str, page: Page, outcome: Outcome) -> None:
        for stream, records in {**page.children, name: page.records}.items():
            for record in records:
                self._append(stream, record, outcome)
        self.rejected += page.rejected
        if page.complete_ids is not None:
            shown = set(page.complete_ids)
            for one in self._ids(name, ENDED):
                if one not in shown:
                    gone = Record(one, None, self.server.state.now, "deleted")
                    self._append(name, gone, outcome)
        if page.cursor is not None:
            # As stored: plain JSON.
            self.cursors[name] = json.loads(json.dumps(page.cursor))

    def _append(self, stream: str, record: Record, outcome: Outcome) -> None:
        past = self.versions.setdefault(stream, {}).setdefault(record.record_id, [])
        if not past or self._essence(stream, past[-1]) != self._essence(stream, record):
            past.append(record)
            outcome.added.append(record)

    def _essence(self, stream: str, record: Record) -> tuple[str, Any]:
        """The change and its content, less what is volatile."""
        content = None if record.payload is None else json.loads(record.payload)
        if content is not None:
            for path in self.connector.stream(stream).volatile:
                *above, last = path.split(".")
                place: Mapping[str, Any] = content
                for part in above:
                    place = place.get(part, {})
                if isinstance(place, dict):
                    place.pop(last, None)
        return record.change, content

    def payload(self, stream: str, record_id: str) -> Any:
        """The newest version's content."""
        text = self.versions[stream][record_id][-1].payload
        return None if text is None else json.loads(text)

    def upserts(self, stream: str) -> list[str]:
        """Ids whose newest version is an upsert."""
        return [one for one, change in self.newest(stream) if change == "upsert"]

    def changes(self, stream: str, record_id: str) -> list[str]:
        """What happened to one record, oldest first."""
        return [record.change for record in self.versions[stream][record_id]]
