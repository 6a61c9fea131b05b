"""A mailbox on loopback, its mail, and reads of it."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from connectors.base.stream import Page, ReadRequest, Resources
from connectors.imap import CONNECTOR, open_mailbox
from connectors.imap.settings import ImapSettings
from sandbox.imap import ImapServer

NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)
BASIC = ("IMAP4rev1", "AUTH=PLAIN")


def mail(
    number: int, *, sender: str = "ana@example.com", extra: str = "", body: str = "x"
) -> bytes:
    return (
        f"From: Ana <{sender}>\r\nTo: Sam <sam@acme.test>\r\nSubject: Offer {number}\r\n"
        f"Date: Thu, 01 Oct 2026 10:59:00 +0200\r\nMessage-ID: <m{number}@example.com>\r\n"
        f"{extra}\r\n{body}\r\n"
    ).encode()


def settings(server: ImapServer, **changes: Any) -> ImapSettings:
    given = {
        "host": server.host,
        "port": server.port,
        "security": "plain",
        "username": server.mailbox.username,
        "password": server.mailbox.password,
        **changes,
    }
    return ImapSettings.model_validate({k: v for k, v in given.items() if v is not None})


def read(config: ImapSettings, cursor: Any = None, stream: str = "messages") -> list[Page]:
    """All pages of one read; the cursor goes through JSON as the runner stores it."""

    async def collect() -> list[Page]:
        resources = Resources("mail", "", lambda: NOW)
        async with open_mailbox(config, resources) as session:
            found = CONNECTOR.stream(stream)
            assert found.read is not None
            stored = json.loads(json.dumps(cursor)) if cursor else None
            request = ReadRequest(found, "mail", NOW, stored)
            return [page async for page in found.read(session, request)]

    return asyncio.run(collect())


def rows(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(r.payload) for page in pages for r in page.records if r.payload]


def ids(pages: list[Page]) -> list[str]:
    return [str(row["message_id"]) for row in rows(pages)]
