"""A shelf that keeps versions as landing does, for tests that need no disk."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.base.errors import PipeledgerError
from connectors.base.stream import Cursor, Page, ReadRequest, Record, Rejected, Resources
from connectors.pipedrive import CONNECTOR, PipedriveSettings, Session
from sandbox.pipedrive import API_TOKEN, PipedriveServer

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
class Shelf:
    """Landing in memory: versions per stream and id, unchanged ones dropped."""

    server: PipedriveServer
    state_dir: Path
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, dict[str, list[Record]]] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def configured(self) -> PipedriveSettings:
        """Settings for the server."""
        given = {
            "base_url": self.server.url,
            "api_token": API_TOKEN,
            "page_size": 100,
            "daily_tokens": 1_000_000,
            "daily_reserve": 0.0,
            "burst_requests": 3000,
        }
        return PipedriveSettings.model_validate({**given, **self.settings})

    def resources(self) -> Resources:
        """The connection's own folder and the server's clock."""
        return Resources("crm", str(self.state_dir), lambda: self.server.state.now)

    async def sync(
        self, *streams: str, full: bool = False, stop_after: int | None = None
    ) -> dict[str, Outcome]:
        """Read streams one after the other in one session."""
        async with CONNECTOR.open(self.configured(), self.resources()) as session:
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
        self, session: Session, name: str, *, full: bool, stop_after: int | None
    ) -> Outcome:
        stream = CONNECTOR.stream(name)
        request = ReadRequest(
            stream,
            "crm",
            self.server.state.now,
            None if full else self.cursors.get(name),
            full,
            live_ids=lambda: self._ids(name, ENDED),
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

    def _ids(self, stream: str, ended: Sequence[str]) -> list[str]:
        kept = self.versions.get(stream, {}).items()
        return [one for one, past in kept if past[-1].change not in ended]

    def _take(self, name: str, page: Page, outcome: Outcome) -> None:
        for child, records in page.children.items():
            for record in records:
                self._append(child, record, outcome)
        for record in page.records:
            self._append(name, record, outcome)
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
        if not past or _essence(stream, past[-1]) != _essence(stream, record):
            past.append(record)
            outcome.added.append(record)

    def payload(self, stream: str, record_id: str) -> Any:
        """The newest version's content."""
        text = self.versions[stream][record_id][-1].payload
        return None if text is None else json.loads(text)

    def live(self, stream: str) -> list[int]:
        """Ids whose newest version is an upsert, ascending."""
        found = [one for one, past in self.versions[stream].items() if past[-1].change == "upsert"]
        return sorted(int(one) for one in found)

    def changes(self, stream: str, record_id: str) -> list[str]:
        """What happened to one record, oldest first."""
        return [record.change for record in self.versions[stream][record_id]]


def _essence(stream: str, record: Record) -> tuple[str, Any]:
    content = None if record.payload is None else json.loads(record.payload)
    if content is not None:
        content = {
            name: value
            for name, value in content.items()
            if name not in CONNECTOR.stream(stream).volatile
        }
    return record.change, content
