"""Mailboxes of Gmail: one client, one token and one allowance each."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from connectors.base.budget import Budget, Limit
from connectors.base.client import Client, ClientSettings, Params, Response
from connectors.base.errors import (
    AccessDenied,
    CursorExpired,
    PaginationLoop,
    ProtocolError,
    SourceError,
    VendorError,
)
from connectors.base.mail import FIELDS
from connectors.base.stream import Resources
from connectors.gmail.settings import UNITS_PER_MINUTE, GmailSettings
from connectors.gmail.signin import signed_in

# What a call costs of the allowance.
UNITS = {"profile": 1, "list": 5, "history": 2}
MESSAGE_UNITS = {"2026": 20, "legacy": 5}
SHOWN = "id,threadId,labelIds,internalDate,sizeEstimate,historyId,payload(mimeType,headers)"
SHOWN_WITH_TEXT = SHOWN.replace("headers)", "headers,body(data),parts)")
_REASON = re.compile(rb'"reason"\s*:\s*"([^"]+)"')
_QUOTA = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_NO_MAIL = frozenset({"failedPrecondition", "insufficientPermissions", "domainPolicy"})
FIRST_PAUSE_SECONDS = 1.0
_OK_OR_GONE = frozenset({200, 404})


@dataclass(slots=True)
class Mailbox:
    """One mailbox, signed in with the first request."""

    client: Client
    settings: GmailSettings
    address: str

    async def history_id(self) -> str:
        """The mailbox's newest history id: a 64-bit number, kept as text."""
        answer = await self.client.get(self._path("profile"), cost=UNITS["profile"])
        return str(answer.json()["historyId"])

    async def ids(self, label: str | None = None) -> AsyncIterator[list[str]]:
        """Yield ids page by page, newest first, spam and trash included; of a label if told."""
        params = {"maxResults": str(self.settings.page_size), "includeSpamTrash": "true"}
        if label is not None:
            params["labelIds"] = label
        async for page in self._pages("messages", params, UNITS["list"]):
            yield [one["id"] for one in page.get("messages", [])]

    async def history(self, start: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the pages of what happened after an id; a page may have no ``history``.

        Raises:
            CursorExpired: Google no longer knows so old an id (404).
        """
        params = {"maxResults": str(self.settings.page_size), "startHistoryId": start}
        async for page in self._pages("history", params, UNITS["history"]):
            yield page

    async def messages(self, identities: list[str]) -> list[Any]:
        """Messages side by side, in that order; None for one that is gone.

        Headers alone, unless the settings want their text.
        """
        return await asyncio.gather(*(self._message(one) for one in identities))

    async def _message(self, identity: str) -> Any:
        if self.settings.store_bodies:
            params = [("format", "full"), ("fields", SHOWN_WITH_TEXT)]
        else:
            params = [("format", "metadata"), ("fields", SHOWN)]
            params += [("metadataHeaders", name) for name in FIELDS]
        answer = await self.client.get(
            self._path(f"messages/{quote(identity, safe='')}"),
            params=params,
            cost=MESSAGE_UNITS[self.settings.quota_profile],
            ok=_OK_OR_GONE,
        )
        return None if answer.status == 404 else answer.json()

    async def _pages(
        self, path: str, params: Mapping[str, str], units: int
    ) -> AsyncIterator[dict[str, Any]]:
        token: str | None = None
        seen: set[str] = set()
        while True:
            asked: Params = {**params, "pageToken": token} if token else params
            answer = await self.client.get(self._path(path), params=asked, cost=units)
            page = answer.json()
            if not isinstance(page, dict):
                raise ProtocolError(f"a page of {path} is no object")
            yield page
            token = page.get("nextPageToken")
            if not token:
                return
            if token in seen:
                raise PaginationLoop(f"a page token of {path} came a second time")
            seen.add(token)

    def _path(self, what: str) -> str:
        return f"/gmail/v1/users/{quote(self.address, safe='@')}/{what}"


@dataclass(slots=True)
class Session:
    """The mailboxes of one connection, each opened when it is read."""

    settings: GmailSettings
    resources: Resources
    stack: AsyncExitStack

    async def mailbox(self, address: str) -> Mailbox:
        """Open one mailbox; it is closed with the session."""
        place = sorted(self.settings.mailboxes).index(address)
        units = UNITS_PER_MINUTE[self.settings.quota_profile]
        limit = Limit(f"units_{place}", units, timedelta(minutes=1), reserve=0.2)
        own = ClientSettings(
            base_url=self.settings.base_url,
            budgets=(Budget("default", (limit,), concurrency=8),),
            ca_file=self.settings.ca_file,
            judge=_judge,
            first_pause_seconds=FIRST_PAUSE_SECONDS,
        )
        auth = signed_in(self.settings, address, self.resources)
        client = await self.stack.enter_async_context(
            Client.open(own, auth=auth, resources=self.resources)
        )
        return Mailbox(client, self.settings, address)


@asynccontextmanager
async def open_session(settings: GmailSettings, resources: Resources) -> AsyncIterator[Session]:
    """Hand out the session; nothing is asked yet."""
    async with AsyncExitStack() as stack:
        yield Session(settings, resources, stack)


def _judge(response: Response, trouble: str) -> SourceError | None:
    """What Google's reasons mean where the status alone does not say it."""
    reasons = {one.decode("ascii", "replace") for one in _REASON.findall(response.body[:10_000])}
    if response.status == 403 and reasons & _QUOTA:
        # Retried in vain at once: the minute's allowance is gone; the next run goes on.
        return VendorError(f"{trouble}. The allowance is used up.", status=403)
    if response.status in {400, 403} and reasons & _NO_MAIL:
        return AccessDenied(
            f"{trouble}. Does the mailbox have Gmail, and the credential the scope gmail.metadata "
            "(gmail.readonly with store_bodies)?",
            status=response.status,
        )
    if response.status == 404:
        return CursorExpired(trouble, status=404)
    return None
