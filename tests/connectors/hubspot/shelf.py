"""A shelf that keeps versions as landing does, for tests that need no disk."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.base.errors import PipeledgerError
from connectors.base.stream import Cursor, Page, ReadRequest, Record, Rejected, Resources
from connectors.hubspot import CONNECTOR, HubspotSettings, Session
from sandbox.hubspot import STATIC_TOKEN, HubspotServer


@dataclass
class Outcome:
    """What one sync of one stream did."""

    pages: int = 0
    added: list[Record] = field(default_factory=list)
    error: PipeledgerError | None = None


@dataclass
class Shelf:
    """Landing in memory: versions per stream and id, unchanged ones dropped."""

    server: HubspotServer
    state_dir: Path
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, dict[str, list[Record]]] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def configured(self, **more: Any) -> HubspotSettings:
        """Settings for the server; the static token unless OAuth is given."""
        credential = {} if "refresh_token" in self.settings else {"token": STATIC_TOKEN}
        base = {"base_url": self.server.url, **credential, **self.settings, **more}
        return HubspotSettings.model_validate(base)

    async def sync(
        self, *streams: str, full: bool = False, stop_after: int | None = None
    ) -> dict[str, Outcome]:
        """Read streams one after the other in one session."""
        outcomes = {}
        resources = Resources("hs", str(self.state_dir), lambda: self.server.state.now)
        async with CONNECTOR.open(self.configured(), resources) as session:
            for name in streams:
                outcomes[name] = await self._read(session, name, full=full, stop_after=stop_after)
        return outcomes

    async def _read(
        self, session: Session, name: str, *, full: bool, stop_after: int | None
    ) -> Outcome:
        stream = CONNECTOR.stream(name)
        request = ReadRequest(
            stream,
            "hs",
            self.server.state.now,
            None if full else self.cursors.get(name),
            full,
            lambda: [one for one, last in self.newest(name) if last not in ("deleted", "merged")],
            lambda: [one for one, last in self.newest(name) if last == "archived"],
        )
        outcome = Outcome()
        assert stream.read is not None
        try:
            async for page in stream.read(session, request):
                outcome.pages += 1
                self._take(name, page, outcome)
                if outcome.pages == stop_after:
                    break  # left as by a crash
        except PipeledgerError as error:
            outcome.error = error
        return outcome

    def newest(self, stream: str) -> list[tuple[str, str]]:
        """Id and change of every record's newest version."""
        return [(one, past[-1].change) for one, past in self.versions.get(stream, {}).items()]

    def _take(self, name: str, page: Page, outcome: Outcome) -> None:
        for stream, records in {name: page.records, **page.children}.items():
            for record in records:
                self._append(stream, record, outcome)
        self.rejected += page.rejected
        if page.complete_ids is not None:
            shown = set(page.complete_ids)
            for one, change in self.newest(name):
                if one not in shown and change not in ("deleted", "merged"):
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

    def live(self, stream: str) -> dict[str, Any]:
        """Content of all records that are neither archived, deleted nor merged."""
        return {
            one: self.payload(stream, one)
            for one, change in self.newest(stream)
            if change == "upsert"
        }

    def changes(self, stream: str, record_id: str) -> list[str]:
        """What happened to one record, oldest first."""
        return [record.change for record in self.versions[stream][record_id]]


def _essence(stream: str, record: Record) -> tuple[str, Any]:
    content = None if record.payload is None else json.loads(record.payload)
    if content is not None:
        for path in CONNECTOR.stream(stream).volatile:
            *above, last = path.split(".")
            place: Mapping[str, Any] = content
            for part in above:
                place = place.get(part, {})
            if isinstance(place, dict):
                place.pop(last, None)
    return record.change, content


def ids(records: Sequence[Record]) -> list[str]:
    """Record ids in order."""
    return [record.record_id for record in records]
