"""One open account: lists, single objects and the event log, in the pinned version."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeAlias
from urllib.parse import quote

import msgspec

from connectors.base.auth import Bearer
from connectors.base.budget import Budget, Limit
from connectors.base.client import Client, ClientSettings, Response
from connectors.base.decode import decode
from connectors.base.errors import (
    CursorExpired,
    PaginationLoop,
    ProtocolError,
    SourceError,
)
from connectors.base.paging import KeysetPages
from connectors.base.stream import Resources
from connectors.stripe.kinds import KINDS, PAYMENT_RECORDS
from connectors.stripe.settings import StripeSettings

VERSION = "2026-06-24.dahlia"
"""Without it the account's own default applies, which may be years old and of other shape."""
PAGE = 100
AT_ONCE, AT_ONCE_AT_MOST = 4, 6
"""Requests of one endpoint under way; with four streams at a time at most 24 in all."""
RETRIED_TOO = frozenset({409, 424})
"""A lock on the object, and a fault behind Stripe: both pass."""
Body: TypeAlias = bytes
"""JSON text of one object."""


class Listed(msgspec.Struct):
    """A list answer; an error envelope under status 200 has no ``data`` and is refused."""

    data: list[msgspec.Raw]
    has_more: bool


class Head(msgspec.Struct):
    """What every object tells of itself."""

    id: str
    created: int | None = None
    livemode: bool | None = None
    deleted: bool = False


LISTS = KeysetPages(
    Listed,
    rows=lambda page: page.data,
    more=lambda page: page.has_more,
    key=lambda row: decode(bytes(row), Head).id,
)


class _Error(msgspec.Struct):
    code: str | None = None
    type: str | None = None


class _Envelope(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


def _code(response: Response) -> str | None:
    try:
        return decode(response.body, _Envelope).error.code
    except ProtocolError:
        return None


def judge(response: Response, trouble: str) -> SourceError | None:
    """What Stripe means by a refusal, where it differs from what others mean."""
    if response.status == 400 and _code(response) == "resource_missing":
        return CursorExpired(f"{trouble}. The object that the page began after is gone.")
    return None


def again(response: Response) -> bool | None:
    """Is another try worth it? Stripe-Should-Retry overrules what the status means.

    Not for 429: there the word is for clients that would ask again at once, and the vendor's
    advice is to back off, as we do (docs/sources/stripe.md, Limits).
    """
    told = response.headers.get("stripe-should-retry")
    if response.status == 429 or told not in {"true", "false"}:
        return True if response.status in RETRIED_TOO else None
    return told == "true"


class Session:
    """Requests of one account, counted and limited together."""

    def __init__(self, client: Client, settings: StripeSettings) -> None:
        self.client = client
        self.settings = settings
        self._is_checked = False

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self.client.requests

    @property
    def bytes(self) -> int:
        """Bytes of answers so far."""
        return self.client.bytes

    async def pages(
        self, path: str, params: tuple[tuple[str, str], ...] = (), after: str | None = None
    ) -> AsyncIterator[tuple[Listed, Response]]:
        """Pages of a list, newest first, until Stripe says that there is no more.

        Raises:
            CursorExpired: the object named by ``after`` no longer exists.
            PaginationLoop: an id came twice as the next page's beginning.
        """

        async def fetch(token: str | None) -> Response:
            begin = () if token is None else (("starting_after", token),)
            return await self._get(path, (*params, ("limit", str(PAGE)), *begin))

        try:
            async for page in LISTS.read(fetch, start=after):
                yield page.envelope, page.response
        except PaginationLoop as fault:
            raise PaginationLoop(f"GET {path}: {fault}") from None

    async def page(
        self, path: str, params: tuple[tuple[str, str], ...] = ()
    ) -> tuple[Listed, Response]:
        """The newest page of a list.

        Raises:
            PaginationLoop: more is promised after nothing.
        """
        response = await self._get(path, (*params, ("limit", str(PAGE))))
        listed = response.decode(Listed)
        if listed.has_more and not listed.data:
            raise PaginationLoop(f"GET {path}: more is promised after an empty page")
        return listed, response

    async def one(
        self, path: str, object_id: str, params: tuple[tuple[str, str], ...] = ()
    ) -> Body | None:
        """An object by id; None if it was deleted."""
        # Ids of coupons and products are the merchant's own words.
        address = f"{path}/{quote(object_id, safe='')}"
        response = await self._get(address, params, ok=frozenset({200, 404}))
        if response.status == 404 or decode(response.body, Head).deleted:
            return None
        return response.body

    async def _get(
        self,
        path: str,
        params: tuple[tuple[str, str], ...],
        *,
        ok: frozenset[int] = frozenset({200}),
    ) -> Response:
        response = await self.client.get(path, params=params, ok=ok, budget=endpoint(path))
        if not self._is_checked:
            told = response.headers.get("stripe-version")
            if told is not None and told != VERSION:
                raise ProtocolError(
                    f"asked for Stripe-Version {VERSION}, the answer is in {told}; "
                    "its shapes differ, so nothing of it is read"
                )
            self._is_checked = True
        return response


def endpoint(path: str) -> str:
    """The endpoint as Stripe counts it: a list and its single objects are two.

    ``/v1/invoices`` is ``invoices``, ``/v1/invoices/in_1`` is ``invoices.one``,
    ``/v1/invoices/in_1/lines`` is ``invoices.lines``.
    """
    kind, *rest = path.removeprefix("/v1/").split("/")
    if not rest:
        return kind
    return f"{kind}.one" if len(rest) == 1 else f"{kind}.{rest[1]}"


ENDPOINTS = (
    *(endpoint(kind.path + below) for kind in (*KINDS, PAYMENT_RECORDS) for below in ("", "/one")),
    *(
        endpoint(kind.children.address(kind.path, "one")[0])
        for kind in KINDS
        if kind.children is not None
    ),
    *("balance_transactions", "customers.balance_transactions", "events"),
)


def server_time(response: Response) -> datetime:
    """The vendor's own clock, from the Date header; ours where it is missing."""
    text = response.headers.get("date")
    if text is None:
        return response.observed_at
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return response.observed_at


@asynccontextmanager
async def open_account(settings: StripeSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open an account; the session is shared by all its readers."""
    second = timedelta(seconds=1)
    account = Limit("account", settings.per_second, second)
    budgets = tuple(
        # The endpoint first: a place in the account's second is not held while waiting for it.
        Budget(
            name,
            (Limit(name, settings.endpoint_per_second, second), account),
            concurrency=AT_ONCE,
            ceiling=AT_ONCE_AT_MOST,
        )
        for name in ENDPOINTS
    )
    headers: Mapping[str, str] = {"Stripe-Version": VERSION}
    if settings.account is not None:
        # Sent empty it would be an error.
        headers = {**headers, "Stripe-Account": settings.account}
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=budgets,
        ca_file=settings.ca_file,
        headers=headers,
        judge=judge,
        again=again,
        first_pause_seconds=1.0,
        longest_pause_seconds=30.0,
    )
    async with Client.open(own, auth=Bearer(settings.api_key), resources=resources) as client:
        yield Session(client, settings)
