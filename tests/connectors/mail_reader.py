"""Reads mailboxes as the runner does: pages are kept, then their cursor; live ids are known."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.base.stream import Connector, Page, ReadRequest, Record, Resources

NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)


class MailReader:
    """One connection over several runs."""

    def __init__(self, connector: Connector, folder: Path, settings: dict[str, Any]) -> None:
        self.connector = connector
        self.folder = folder
        self.settings = connector.settings.model_validate(settings)
        self.live: set[str] = set()
        self.cursor: Any = None

    def read(self, pages: int | None = None) -> list[Record]:
        """The records of one run, which ends after so many pages if told."""
        return asyncio.run(self._read(pages))

    async def _read(self, most: int | None) -> list[Record]:
        records: list[Record] = []
        resources = Resources("mail", str(self.folder), lambda: NOW)
        stream = self.connector.stream("messages")
        assert stream.read is not None
        held = sorted(self.live)
        async with self.connector.open(self.settings, resources) as session:
            request = ReadRequest(stream, "mail", NOW, self.cursor, live_ids=lambda: held)
            number = 0
            async for page in stream.read(session, request):
                self._keep(page)
                records += page.records
                number += 1
                if number == most:
                    break
        return records

    def _keep(self, page: Page) -> None:
        for record in page.records:
            if record.change == "upsert":
                self.live.add(record.record_id)
            else:
                self.live.discard(record.record_id)
        if page.cursor is not None:
            self.cursor = json.loads(json.dumps(page.cursor))


def payloads(records: list[Record]) -> list[dict[str, Any]]:
    """The content of those that have one."""
    return [json.loads(one.payload) for one in records if one.payload]
