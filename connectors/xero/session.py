"""One open organisation: which one it is, and pages of its lists."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import msgspec

from connectors.base.auth import Auth
from connectors.base.client import Client, Response
from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, ConfigError, ProtocolError
from connectors.base.locks import write_durably
from connectors.xero.kinds import Kind
from connectors.xero.settings import XeroSettings

NOT_COUNTED = "connections"
NOT_MODIFIED = 304
"""Nothing changed since the moment asked for; Xero says so by an empty list, as far as is known."""
API = "/api.xro/2.0"
OLDEST_FIRST = "UpdatedDateUTC ASC"
NEWEST_FIRST = "UpdatedDateUTC DESC"


class Tenant(msgspec.Struct):
    """An organisation that the sign-in reaches."""

    tenantId: str  # noqa: N815 - the vendor's spelling
    tenantType: str = "ORGANISATION"  # noqa: N815 - the vendor's spelling
    tenantName: str | None = None  # noqa: N815 - the vendor's spelling

    @property
    def title(self) -> str:
        """Its name and id, for messages."""
        return f"{self.tenantName or 'unnamed'} ({self.tenantId})"


class _Pagination(msgspec.Struct):
    page: int
    pageCount: int  # noqa: N815 - the vendor's spelling


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one page; ``has_more`` None where Xero does not count the pages."""

    rows: Sequence[msgspec.Raw]
    has_more: bool | None
    response: Response


class Session:
    """Requests of one organisation, counted and limited together."""

    def __init__(self, client: Client, settings: XeroSettings, auth: Auth, state: Path) -> None:
        self.client = client
        self.settings = settings
        self._auth = auth
        self._pin = state / "tenant"
        self._is_pinned = False
        self._turn = asyncio.Lock()
        self._tenant: str | None = None

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self.client.requests

    @property
    def bytes(self) -> int:
        """Bytes of answers so far."""
        return self.client.bytes

    async def token(self) -> str:
        """The access token in use."""
        headers = await self._auth.headers()
        return headers["Authorization"].removeprefix("Bearer ")

    async def tenants(self) -> list[Tenant]:
        """The organisations that the sign-in reaches."""
        response = await self.client.get("/connections", budget=NOT_COUNTED)
        found = response.decode(list[Tenant])
        return [one for one in found if one.tenantType == "ORGANISATION"]

    async def tenant(self) -> str:
        """The id of the organisation that is read.

        Raises:
            AccessDenied: none is connected, or not the one that the settings name.
            ConfigError: there are several and none is named, or it is another one than before.
        """
        async with self._turn:
            if self._tenant is None:
                self._tenant = self._same((await self._chosen()).lower())
            return self._tenant

    async def _chosen(self) -> str:
        wanted = self.settings.tenant_id
        if wanted is not None:
            return wanted
        tenants = await self.tenants()
        if not tenants:
            raise AccessDenied(
                "the sign-in reaches no organisation. Sign in again and choose one.",
                whole_source=True,
            )
        if len(tenants) > 1:
            listed = ", ".join(one.title for one in tenants)
            raise ConfigError(
                f"the sign-in reaches several organisations: {listed}. "
                "Set `tenant_id` to the one that this connection reads."
            )
        return tenants[0].tenantId

    def _same(self, tenant: str) -> str:
        """The same organisation as ever: two in one connection would mix their books."""
        try:
            known = self._pin.read_text().strip()
        except FileNotFoundError:
            return tenant
        if known != tenant:
            raise ConfigError(
                f"this connection has read the organisation {known} so far, and is now to read "
                f"{tenant}. Give every organisation a connection of its own, with `tenant_id`."
            )
        self._is_pinned = True
        return tenant

    def _keep(self, tenant: str) -> None:
        """Note which organisation has answered; one that was only named may be corrected."""
        if not self._is_pinned:
            write_durably(self._pin, tenant.encode())
            self._is_pinned = True

    async def page(
        self, kind: Kind, number: int | None, *, since: datetime | None = None,
        order: str | None = OLDEST_FIRST, size: int | None = None,
    ) -> Answer:  # fmt: skip
        """One page of a list, or all of a list that has none (``number`` None).

        ``since`` goes out as If-Modified-Since, to the second.

        Raises:
            ProtocolError: it is no answer of this list, or another page than the one asked for.
        """
        params = list(kind.params)
        if order is not None:
            params.append(("order", order))
        if number is not None:
            params.append(("page", str(number)))
            if kind.takes_page_size:
                params.append(("pageSize", str(size or self.settings.page_size)))
        tenant = await self.tenant()
        headers = {"Xero-Tenant-Id": tenant}
        if since is not None:
            headers["If-Modified-Since"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        path = f"{API}/{kind.path}"
        ok = frozenset({200, NOT_MODIFIED}) if since is not None else frozenset({200})
        response = await self.client.get(path, params=params, headers=headers, ok=ok)
        self._keep(tenant)
        if response.status == NOT_MODIFIED:
            return Answer((), has_more=False, response=response)
        body = response.decode(dict[str, msgspec.Raw])
        status = body.get("Status")
        if status is not None and bytes(status) != b'"OK"':
            raise ProtocolError(f"GET {path}: a 200 with Status {bytes(status)[:40]!r}")
        if kind.rows not in body:
            raise ProtocolError(f"GET {path}: a 200 without {kind.rows}")
        rows = decode(bytes(body[kind.rows]), list[msgspec.Raw])
        has_more = None
        told = body.get("pagination")
        if told is not None and bytes(told) != b"null" and number is not None:
            pagination = decode(bytes(told), _Pagination)
            if pagination.page != number:
                raise ProtocolError(
                    f"GET {path}: page {number} was asked for and {pagination.page} answered"
                )
            has_more = number < pagination.pageCount
        return Answer(rows, has_more, response)


def server_time(response: Response) -> datetime:
    """Xero's own clock, from the Date header; ours where it is missing."""
    try:
        return parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return response.observed_at
