"""One open site: lists, single objects, what the site is, and its clock."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from pydantic import SecretStr

from connectors.base.auth import Basic
from connectors.base.budget import Budget, Limit
from connectors.base.client import Client, ClientSettings, Response
from connectors.base.decode import decode
from connectors.base.errors import (
    AccessDenied,
    ConfigError,
    CursorExpired,
    PaginationLoop,
    ProtocolError,
    SourceError,
    VendorError,
)
from connectors.base.paging import CursorPages, RawPage
from connectors.base.redact import remember
from connectors.base.stream import Resources
from connectors.chargebee.kinds import Catalog
from connectors.chargebee.settings import ChargebeeSettings

API = "/api/v2"
PAGE = 100
RESERVE = 0.15
"""The share of the minute that is left to the site's other programs."""
AT_ONCE = {"starter": 4, "performance": 10, "enterprise": 10}
"""Requests under way; Chargebee refuses more than 50 reads at once."""
THROTTLED_SECONDS = 30.0
"""The pause after a 429 that names none: the limit is per minute."""
CATALOGS: Mapping[str, Catalog] = {"v1": "1.0", "v2": "2.0"}


class Listed(msgspec.Struct):
    """A list answer; an error envelope under status 200 has no ``list`` and is refused."""

    list: list[msgspec.Raw]
    next_offset: str | None = None


class _Fault(msgspec.Struct):
    api_error_code: str | None = None
    error_code: str | None = None
    param: str | None = None
    error_param: str | None = None
    message: str | None = None
    error_msg: str | None = None


class _Site(msgspec.Struct):
    domain: str | None = None
    product_catalog_version: str | None = None


class _Configurations(msgspec.Struct):
    configurations: list[_Site]


class NotEnabledError(VendorError):
    """The site does not have this feature, or not in its product catalogue."""


LISTS = CursorPages(Listed, rows=lambda page: page.list, next=lambda page: page.next_offset)


def judge(response: Response, trouble: str) -> SourceError | None:
    """What Chargebee means by a refusal, where it differs from what others mean."""
    try:
        fault = decode(response.body, _Fault)
    except ProtocolError:
        return None
    code = fault.api_error_code or fault.error_code
    param = fault.param or fault.error_param
    said = (fault.message or fault.error_msg or "").lower()
    if response.status == 404 and code == "site_not_found":
        return AccessDenied(
            f"{trouble}. Check `site`: the first label of the host of your Chargebee.",
            status=404,
            whole_source=True,
        )
    if response.status in {400, 403} and "not enabled for this site" in said:
        return NotEnabledError(trouble, status=response.status)
    if response.status == 400 and param == "offset":
        return CursorExpired(f"{trouble}. The page's offset is no longer known.")
    return None


def pause(response: Response, _attempt: int) -> float | None:
    """How long to wait where a 429 carries no Retry-After."""
    return THROTTLED_SECONDS if response.status == 429 else None


class Session:
    """Requests of one site, counted and limited together."""

    def __init__(self, client: Client, settings: ChargebeeSettings) -> None:
        self.client = client
        self.settings = settings
        self._asking = asyncio.Lock()
        self._site: _Site | None = None
        self._ahead: timedelta | None = None

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self.client.requests

    @property
    def bytes(self) -> int:
        """Bytes of answers so far."""
        return self.client.bytes

    def report(self) -> Mapping[str, Any]:
        """What is left of each allowance."""
        return self.client.report()

    # What the site is.

    async def catalog(self) -> Catalog:
        """Which product catalogue the site has.

        Raises:
            ConfigError: neither the settings nor the site say so.
        """
        if self.settings.product_catalog is not None:
            return self.settings.product_catalog
        site = await self._described()
        found = CATALOGS.get((site.product_catalog_version or "").lower())
        if found is None:
            raise ConfigError(
                "the site does not say whether it has Product Catalog 1.0 or 2.0: set "
                '`product_catalog` ("1.0" with plans and add-ons, "2.0" with items)'
            )
        return found

    async def domain(self) -> str:
        """The site's own name for itself."""
        return (await self._described()).domain or self.settings.site

    async def now(self, ours: datetime) -> datetime:
        """The instant ``ours`` by the site's clock, from its Date headers."""
        if self._ahead is None:
            await self._described()
        return ours + (self._ahead or timedelta(0))

    async def _described(self) -> _Site:
        async with self._asking:
            if self._site is None:
                try:
                    response = await self.get("/configurations")
                except AccessDenied as fault:
                    if fault.whole_source:
                        raise
                    # A key of few rights: what it names must be said in the settings.
                    self._site = _Site()
                else:
                    sites = response.decode(_Configurations).configurations
                    self._site = sites[0] if sites else _Site()
            return self._site

    # Requests.

    async def get(self, path: str, params: tuple[tuple[str, str], ...] = ()) -> Response:
        """GET a path of the API."""
        response = await self.client.get(path, params=params)
        told = _date(response)
        if told is not None:
            self._ahead = told - response.observed_at
        return response

    async def pages(
        self, path: str, params: tuple[tuple[str, str], ...] = (), offset: str | None = None
    ) -> AsyncIterator[RawPage[Listed]]:
        """Pages of a list, from ``offset`` on, until it names no next one.

        Raises:
            CursorExpired: the offset is not known.
            PaginationLoop: an offset came twice.
        """

        async def fetch(token: str | None) -> Response:
            begin = () if token is None else (("offset", token),)
            return await self.get(path, (("limit", str(PAGE)), *params, *begin))

        try:
            async for page in LISTS.read(fetch, start=offset):
                yield page
        except PaginationLoop as fault:
            raise PaginationLoop(f"GET {path}: {fault}") from None


def _date(response: Response) -> datetime | None:
    text = response.headers.get("date")
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


@asynccontextmanager
async def open_site(settings: ChargebeeSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open a site; the session is shared by all its readers."""
    remember(settings.api_key)
    minute = Limit("minute", settings.per_minute, timedelta(minutes=1), RESERVE)
    own = ClientSettings(
        base_url=settings.address + API,
        budgets=(Budget(limits=(minute,), concurrency=AT_ONCE[settings.plan]),),
        ca_file=settings.ca_file,
        judge=judge,
        pause=pause,
        first_pause_seconds=1.0,
        longest_pause_seconds=90.0,
    )
    auth = Basic(settings.api_key.get_secret_value(), SecretStr(""))
    async with Client.open(own, auth=auth, resources=resources) as client:
        yield Session(client, settings)
