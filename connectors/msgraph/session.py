"""One tenant: its token, its allowances per mailbox and the requests that are asked of it."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from connectors.base.auth import Auth, Granted, OAuth, OAuthSettings
from connectors.base.budget import Budget, Limit
from connectors.base.client import Client, ClientSettings, Response
from connectors.base.errors import (
    AccessDenied,
    CursorExpired,
    PaginationLoop,
    ProtocolError,
    SourceError,
)
from connectors.base.redact import remember
from connectors.base.stream import Resources
from connectors.msgraph.settings import MsgraphSettings

FIELDS = (
    "id,internetMessageId,conversationId,subject,from,sender,toRecipients,ccRecipients,"
    "bccRecipients,replyTo,sentDateTime,receivedDateTime,lastModifiedDateTime,isDraft,"
    "hasAttachments,importance,flag,parentFolderId"
)
PERSONS_SCOPE = "https://graph.microsoft.com/Mail.ReadBasic offline_access"
PERSONS_SCOPE_OF_TEXT = "https://graph.microsoft.com/Mail.Read offline_access"
AS_TEXT = 'outlook.body-content-type="text", '
# Microsoft allows four at once and 10,000 in ten minutes, per application and mailbox.
CONCURRENCY = 4
_EXPIRED = frozenset({"syncstatenotfound", "resyncrequired", "syncstateinvalid"})
_CODE = re.compile(rb'"code"\s*:\s*"([^"]+)"')
FIRST_PAUSE_SECONDS = 0.5


@dataclass(slots=True)
class Session:
    """An open tenant."""

    client: Client
    settings: MsgraphSettings

    async def pages(
        self, mailbox: str, path: str, params: Mapping[str, str]
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the pages of a delta round from a path or a stored link, links included.

        A page may be empty and still not be the last one.

        Raises:
            CursorExpired: the link's state is gone (410).
            OriginRefused: a link leads to another host.
            PaginationLoop: a link comes a second time.
        """
        seen: set[str] = set()
        url: str | None = path if "://" in path else self._path(mailbox, path)
        while url:
            if url in seen:
                raise PaginationLoop(f"the next link of {mailbox} came a second time")
            seen.add(url)
            answer = await self.client.get(
                url, params=() if seen - {url} or "://" in path else params, budget=mailbox
            )
            page = answer.json()
            if not isinstance(page, dict) or not isinstance(page.get("value"), list):
                raise ProtocolError(f"a page of {mailbox} has no value")
            yield page
            url = page.get("@odata.nextLink")
            if not url and not page.get("@odata.deltaLink"):
                raise ProtocolError(f"a page of {mailbox} has neither a next nor a delta link")

    async def found(self, mailbox: str, path: str, params: Mapping[str, str]) -> Any:
        """One object of a mailbox, None where it does not exist (404)."""
        answer = await self.client.get(
            self._path(mailbox, path), params=params, budget=mailbox, ok=frozenset({200, 404})
        )
        if answer.status == 404:
            if _code(answer) not in {"erroritemnotfound", "errorfoldernotfound"}:
                raise _no_mailbox(answer, f"404 for {mailbox}")
            return None
        return answer.json()

    async def message(self, mailbox: str, identity: str) -> Any:
        """A message by its immutable id, None where it is gone from the mailbox."""
        wanted = [FIELDS]
        wanted += ["internetMessageHeaders"] if self.settings.headers else []
        # Never in a delta: its links keep what they were first asked for.
        wanted += ["body"] if self.settings.store_bodies else []
        return await self.found(
            mailbox, f"/messages/{quote(identity, safe='')}", {"$select": ",".join(wanted)}
        )

    async def messages(self, mailbox: str, identities: list[str]) -> list[Any]:
        """Messages by id, side by side within the mailbox's allowance, in that order."""
        return await asyncio.gather(*(self.message(mailbox, one) for one in identities))

    def _path(self, mailbox: str, path: str) -> str:
        return f"/users/{quote(mailbox, safe='@')}{path}"


@asynccontextmanager
async def open_tenant(settings: MsgraphSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open the tenant; the token is asked for with the first request."""
    auth = _signed_in(settings, resources)
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=tuple(
            Budget(
                mailbox,
                (Limit(f"mail_{place}", 10_000, timedelta(minutes=10), reserve=0.2),),
                concurrency=CONCURRENCY,
                ceiling=CONCURRENCY,
            )
            for place, mailbox in enumerate(sorted(settings.mailboxes))
        ),
        ca_file=settings.ca_file,
        headers={
            "Prefer": 'IdType="ImmutableId", '
            + (AS_TEXT if settings.store_bodies else "")
            + f"odata.maxpagesize={settings.page_size}",
        },
        judge=_judge,
        first_pause_seconds=FIRST_PAUSE_SECONDS,
    )
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client.open(own, auth=auth, resources=resources))
        yield Session(client, settings)


def _signed_in(settings: MsgraphSettings, resources: Resources) -> Auth:
    """The application's own token, or a person's, whose refresh tokens rotate."""
    login = settings.login_url.rstrip("/")
    url = f"{login}/{quote(settings.tenant, safe='')}/oauth2/v2.0/token"
    if settings.refresh_token is not None:
        return OAuth(
            OAuthSettings(
                token_url=url,
                client_id=settings.client_id,
                client_secret=settings.client_secret,
                refresh_token=settings.refresh_token,
                extra={"scope": PERSONS_SCOPE_OF_TEXT if settings.store_bodies else PERSONS_SCOPE},
            ),
            Path(resources.state_dir) / "token.json",
            ca_file=settings.ca_file,
        )
    remember(settings.client_secret)
    return Granted(
        url,
        lambda: {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "scope": "https://graph.microsoft.com/.default",
        },
        mend="Check tenant, client_id and client_secret; secrets of an application expire.",
        ca_file=settings.ca_file,
    )


def _judge(response: Response, trouble: str) -> SourceError | None:
    """What Graph's codes mean where the status alone does not say it."""
    if response.status == 410 or _code(response) in _EXPIRED:
        return CursorExpired(trouble, status=response.status)
    if response.status == 404:
        return _no_mailbox(response, trouble)
    if response.status == 403:
        return AccessDenied(
            f"{trouble}. The application may not read this mailbox: grant Mail.ReadBasic.All "
            "(Mail.Read with store_bodies) and put the mailbox into its scope.",
            status=403,
        )
    return None


def _no_mailbox(response: Response, trouble: str) -> AccessDenied:
    return AccessDenied(
        f"{trouble} ({_code(response) or 'no code'}). Is the mailbox there and licensed?",
        status=response.status,
    )


def _code(response: Response) -> str:
    """The error's code in lower case; Microsoft varies the case."""
    match = _CODE.search(response.body[:10_000])
    return match.group(1).decode("utf-8", "replace").lower() if match else ""
