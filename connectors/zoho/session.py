"""One open organisation: its calls, and which modules and fields it has."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from connectors.base.client import Client, Response
from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, PaginationLoop, ProtocolError
from connectors.zoho.modules import NOT_QUERIED, Module
from connectors.zoho.records import Row, joined, read_rows
from connectors.zoho.refusals import RefusedError, refused_under_success
from connectors.zoho.settings import ZohoSettings
from connectors.zoho.signin import SignIn

API = "/crm/v8"
MARKS = ("id", "Modified_Time")
OK = frozenset({200, 202, 204, 304})
PER_PAGE = 200
LIST_FIELDS = 50
QUERY_FIELDS = 500
MAX_LIST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of an answer; ``more`` is the vendor's word."""

    rows: Sequence[msgspec.Raw]
    more: bool
    observed_at: datetime
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a query, read; ``refused`` are those without a usable id."""

    rows: list[Row]
    rejected: list[Any]
    more: bool
    observed_at: datetime
    last: Row | None
    """The last row of the first answer, joined or not: where the next page begins."""


class _Info(msgspec.Struct):
    more_records: bool = False
    next_page_token: str | None = None
    # Of e-mails: a mark in place of a page's number.
    next_index: str | None = None


class _Field(msgspec.Struct):
    api_name: str
    data_type: str = ""
    custom_field: bool = False


class ModuleInfo(msgspec.Struct):
    """A module as the settings list it."""

    api_name: str
    api_supported: bool = True
    viewable: bool = True
    status: str | None = None
    generated_type: str | None = None


class Session:
    """What every reader of one organisation shares: the client and what it learnt."""

    def __init__(self, client: Client, settings: ZohoSettings, auth: SignIn) -> None:
        self.client = client
        self.settings = settings
        self.auth = auth
        self._server_now: datetime | None = None
        self._modules: dict[str, ModuleInfo] | None = None
        self._fields: dict[str, tuple[_Field, ...]] = {}
        self._refused: dict[str, set[str]] = {}
        self._learning = asyncio.Lock()

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self.client.requests

    @property
    def bytes(self) -> int:
        """Bytes received so far."""
        return self.client.bytes

    def report(self) -> Mapping[str, Any]:
        """What is left of each allowance."""
        return self.client.report()

    # Calls.

    async def get(
        self,
        path: str,
        key: str,
        params: Mapping[str, str] | None = None,
        *,
        budget: str = "default",
        cost: int = 1,
        since: str | None = None,
    ) -> Rows:
        """The rows under ``key``; none where the answer is empty (204) or old (304).

        Raises:
            RefusedError: the vendor says no, under whatever status.
            ProtocolError: a success without the rows.
        """
        headers = None if since is None else {"If-Modified-Since": since}
        response = await self.client.get(
            f"{API}/{path}",
            params=params or {},
            budget=budget,
            cost=cost,
            ok=OK,
            headers=headers,
        )
        return self._opened(response, key, f"GET {API}/{path}")

    async def query(self, select: str, limit: int) -> Rows:
        """The rows of a query; what it costs goes by its limit, not by its rows."""
        cost = 1 if limit <= 200 else 2 if limit <= 1_000 else 3
        response = await self.client.post_json(
            f"{API}/coql", {"select_query": f"{select} limit {limit}"}, cost=cost, ok=OK
        )
        return self._opened(response, "data", f"POST {API}/coql")

    def _opened(self, response: Response, key: str, what: str) -> Rows:
        self._see(response)
        if response.status in {204, 304}:
            return Rows((), more=False, observed_at=response.observed_at)
        refused = refused_under_success(response, what)
        if refused is not None:
            raise refused
        body = decode(response.body, dict[str, msgspec.Raw])
        if key not in body:
            raise ProtocolError(f"{what}: a {response.status} without {key!r}")
        rows = decode(bytes(body[key]), list[msgspec.Raw])
        info = decode(bytes(body["info"]), _Info) if "info" in body else _Info()
        token = info.next_page_token or info.next_index
        return Rows(rows, info.more_records, response.observed_at, token)

    async def pages(
        self,
        path: str,
        key: str,
        params: Mapping[str, str] | None = None,
        *,
        budget: str = "default",
        cost: int = 1,
        since: str | None = None,
    ) -> AsyncIterator[Rows]:
        """All pages of a list that counts its pages.

        Raises:
            PaginationLoop: a page came twice, or more is promised after an empty one.
        """
        last: tuple[bytes, ...] = ()
        for number in range(1, MAX_LIST_PAGES):
            asked = {**(params or {}), "page": str(number), "per_page": str(PER_PAGE)}
            page = await self.get(path, key, asked, budget=budget, cost=cost, since=since)
            here = tuple(bytes(row) for row in page.rows)
            if page.more and (not here or here == last):
                raise PaginationLoop(f"GET {API}/{path}: page {number} does not move on")
            yield page
            if not page.more:
                return
            last = here
        raise PaginationLoop(f"GET {API}/{path}: more is promised after {MAX_LIST_PAGES} pages")

    def _see(self, response: Response) -> None:
        try:
            self._server_now = parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return

    async def server_now(self, fallback: datetime) -> datetime:
        """The vendor's clock at the latest answer: windows are made of its time, not ours."""
        if self._server_now is None:
            await self.modules()
        return self._server_now or fallback

    # What there is.

    async def modules(self) -> Mapping[str, ModuleInfo]:
        """The organisation's modules by their API name."""
        async with self._learning:
            if self._modules is None:
                page = await self.get("settings/modules", "modules")
                listed = [decode(bytes(raw), ModuleInfo) for raw in page.rows]
                if not listed:
                    raise ProtocolError("settings/modules: an organisation without modules")
                self._modules = {one.api_name: one for one in listed}
            return self._modules

    async def fields(self, module: str) -> tuple[_Field, ...]:
        """The fields of a module that this user may see."""
        async with self._learning:
            if module not in self._fields:
                page = await self.get(
                    "settings/fields", "fields", {"module": module, "type": "all"}
                )
                self._fields[module] = tuple(decode(bytes(raw), _Field) for raw in page.rows)
            return self._fields[module]

    async def readable(self, module: Module) -> tuple[str, ...]:
        """The fields of a module that are asked for, by name.

        Raises:
            AccessDenied: a field is hidden from this user without which money is missing.
        """
        found = await self.fields(module.name)
        names = {one.api_name for one in found}
        hidden = [name for name in module.needed if name not in names]
        if hidden:
            raise AccessDenied(
                f"the fields {', '.join(hidden)} of {module.name} are not shown to the user who "
                "made the grant. Let its profile see them, or drop the stream from `streams`."
            )
        excluded = set(self.settings.exclude_fields.get(module.stream, ()))
        excluded |= self._refused.get(module.name, set())
        wanted = sorted(
            one.api_name
            for one in found
            if one.data_type not in NOT_QUERIED
            and one.api_name not in excluded
            and (self.settings.custom_fields or not one.custom_field)
        )
        return tuple(wanted)

    async def columns(self, module: Module) -> tuple[str, ...]:
        """The fields that a query of a module asks for, ``id`` and its clock first.

        Raises:
            AccessDenied: as of ``readable``.
        """
        own = [name for name in await self.readable(module) if name not in MARKS]
        return (*MARKS, *own)

    def leave_out(self, module: Module, fault: RefusedError) -> str | None:
        """The field that a query refused, left out from now on; None where it names none."""
        name = str(fault.details.get("column_name") or "")
        known = {one.api_name for one in self._fields.get(module.name, ())}
        if name not in known or name in {*MARKS, *module.needed}:
            return None
        self._refused.setdefault(module.name, set()).add(name)
        return name

    # Records.

    async def found(
        self, module: str, columns: Sequence[str], where: str, order: str, limit: int
    ) -> Found:
        """The rows of a query with as many fields as wanted; more than 500 take several."""
        own = list(columns[2:])
        size = QUERY_FIELDS - 2
        chunks = [own[start : start + size] for start in range(0, len(own), size)] or [[]]
        answers: list[tuple[list[Row], Rows]] = []
        rejected: list[Any] = []
        for chunk in chunks:
            asked = ", ".join([*columns[:2], *chunk])
            select = f"select {asked} from {module} where {where} order by {order}"  # noqa: S608 - names and ids of ours
            page = await self.query(select, limit)
            rows, bad = read_rows(page.rows, columns[1])
            rejected += [] if answers else bad
            answers.append((rows, page))
        first_rows, first = answers[0]
        return Found(
            joined([rows for rows, _ in answers]),
            rejected,
            first.more,
            first.observed_at,
            first_rows[-1] if first_rows else None,
        )

    async def one(self, module: str, record_id: str, *, budget: str = "default") -> Rows | None:
        """One record with its subforms; None where there is no such record.

        Raises:
            AccessDenied: it is there, and not for this user.
        """
        try:
            found = await self.get(f"{module}/{record_id}", "data", budget=budget)
        except RefusedError as fault:
            if fault.code in {"INVALID_DATA", "RECORD_NOT_FOUND"}:
                return None
            raise
        return found if found.rows else None
