"""One open Odoo: calls of model methods in either dialect.

Only reading methods are called: search_read, search, read, fields_get. JSON-RPC carries
database, user id and key in each body, JSON-2 in headers.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

import msgspec

from connectors.base.client import Client, Response
from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, PaginationLoop, ProtocolError, VendorError
from connectors.base.redact import remember
from connectors.odoo.envelope import RefusedError, SessionOverError, opened
from connectors.odoo.models import Domain
from connectors.odoo.settings import OdooSettings

Body: TypeAlias = bytes
"""The vendor's own JSON text of a result."""
JSON_RPC = "/jsonrpc"
JSON_2 = "/json/2"
JSON_2_SINCE = 19
TRIES = 4
FIRST_PAUSE_SECONDS = 0.5
ATTRIBUTES = ["type", "relation", "selection", "currency_field", "store", "string"]
BASE_CONTEXT: Mapping[str, Any] = {"active_test": False, "lang": "en_US", "tz": "UTC"}
"""Archived records are shown, among them every lost deal; words in one language."""


class _Version(msgspec.Struct):
    server_version: str = ""
    server_version_info: list[Any] = []


class _Me(msgspec.Struct):
    id: int
    company_id: list[int | str] | bool = False
    company_ids: list[int] = []


class _Id(msgspec.Struct):
    id: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as the vendor's own text, and when they came."""

    rows: Sequence[msgspec.Raw]
    observed_at: datetime


class Session:
    """What every reader of one connection shares."""

    def __init__(self, client: Client, settings: OdooSettings) -> None:
        remember(settings.api_key)
        self.client = client
        self.settings = settings
        self.version = ""
        self._is_json_2: bool | None = None
        self._uid: int | None = None
        self._context: dict[str, Any] | None = None
        self._described: dict[str, Body | None] = {}
        self._in_two_calls: set[str] = set()
        self._server_now: datetime | None = None
        self._learning = asyncio.Lock()
        self._signing = asyncio.Lock()

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

    # Who we are.

    async def is_json_2(self) -> bool:
        """Which dialect is spoken."""
        async with self._signing:
            if self._is_json_2 is None:
                self._is_json_2 = await self._finds_json_2()
            return self._is_json_2

    async def _finds_json_2(self) -> bool:
        if self.settings.dialect is not None:
            return self.settings.dialect == "json_2"
        try:
            result, _ = await self._rpc("common", "version", [], "version")
        except VendorError as fault:
            if fault.status in (404, 405, 410):
                return True
            raise
        found = decode(result, _Version)
        self.version = found.server_version
        major = found.server_version_info[0] if found.server_version_info else 0
        # Odoo Online writes "saas~18" there.
        number = str(major).removeprefix("saas~").partition(".")[0]
        return number.isdecimal() and int(number) >= JSON_2_SINCE

    async def uid(self) -> int:
        """Our own user id; JSON-RPC alone needs it.

        Raises:
            AccessDenied: login, key or database is refused.
        """
        async with self._signing:
            if self._uid is None:
                key = self.settings.api_key.get_secret_value()
                args = [self.settings.database, self.settings.username, key, {}]
                try:
                    text, _ = await self._rpc("common", "authenticate", args, "authenticate")
                except RefusedError as fault:
                    if "does not exist" not in str(fault):
                        raise
                    raise AccessDenied(f"{fault}. Check `database`.", whole_source=True) from None
                text = text.strip()
                # A wrong key is no fault here: the answer is a plain false.
                if not text.isdigit():
                    raise AccessDenied(
                        f"Odoo refuses the user {self.settings.username!r} in the database "
                        f"{self.settings.database!r}: authenticate says {text[:40]!r}. Check "
                        "`username`, `database` and the API key, which may have expired.",
                        whole_source=True,
                    )
                self._uid = int(text)
            return self._uid

    async def context(self) -> Mapping[str, Any]:
        """The context of every call: archived shown, English, UTC, all our companies."""
        if self._context is None:
            base = dict(BASE_CONTEXT)
            domain: Domain = [["login", "=", self.settings.username]]
            if not await self.is_json_2():
                domain = [["id", "=", await self.uid()]]
            fields = ["company_id", "company_ids"]
            kwargs = {"domain": domain, "fields": fields, "limit": 1, "context": base}
            result, _ = await self.call("res.users", "search_read", kwargs, is_plain=True)
            found = decode(result, list[_Me])
            if not found:
                # Going on would read the main company alone, without a word.
                raise AccessDenied(
                    f"there is no user {self.settings.username!r} here. Set `username` to the "
                    "login of the user that the key belongs to.",
                    whole_source=True,
                )
            me = found[0]
            # The first one is the current company: its currency is what a lead without a
            # company of its own is in.
            own = [int(one) for one in me.company_id[:1]] if isinstance(me.company_id, list) else []
            rest = sorted(one for one in me.company_ids if one not in own)
            if own or rest:
                base["allowed_company_ids"] = [*own, *rest]
            self._context = base
        return self._context

    async def server_now(self, fallback: datetime) -> datetime:
        """The server's own clock at its latest answer."""
        if self._server_now is None:
            await self.context()
        return self._server_now or fallback

    # Calls.

    async def call(
        self,
        model: str,
        method: str,
        kwargs: Mapping[str, Any],
        *,
        ids: Sequence[int] | None = None,
        is_plain: bool = False,
    ) -> tuple[Body, Response]:
        """Call a method with named arguments; its result as the vendor's own text.

        ``ids`` are the records that it is a method of. ``is_plain``: ``kwargs`` has its
        context already.

        Raises:
            AccessDenied: the credential, or the right to read the model.
            RefusedError: the server raised another exception.
        """
        named = dict(kwargs)
        if not is_plain:
            named["context"] = dict(await self.context())
        what = f"{model}.{method}"
        renewed = False
        while True:
            try:
                if await self.is_json_2():
                    body = named if ids is None else {"ids": list(ids), **named}
                    response = await self.client.post_json(f"{JSON_2}/{model}/{method}", body)
                    self._server_now = _date(response) or self._server_now
                    return response.body, response
                key = self.settings.api_key.get_secret_value()
                rest = dict(named)
                positional: list[Any] = [] if ids is None else [list(ids)]
                if method == "search":
                    # The one parameter that older releases name otherwise.
                    positional.append(rest.pop("domain"))
                account = [self.settings.database, await self.uid(), key]
                args = [*account, model, method, positional, rest]
                return await self._rpc("object", "execute_kw", args, what)
            except SessionOverError as fault:
                if renewed:
                    raise AccessDenied(str(fault), whole_source=True) from None
                renewed = True
                self._uid = None

    async def _rpc(
        self, service: str, method: str, args: Sequence[Any], what: str
    ) -> tuple[Body, Response]:
        params = {"service": service, "method": method, "args": list(args)}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        attempt = 0
        while True:
            attempt += 1
            response = await self.client.post_json(JSON_RPC, body)
            self._server_now = _date(response) or self._server_now
            try:
                return opened(response, what), response
            except RefusedError as fault:
                if not fault.is_passing or attempt >= TRIES:
                    raise
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))

    # Records.

    async def describe(self, model: str) -> Body | None:
        """``fields_get`` of a model; None where there is no such model here."""
        async with self._learning:
            if model not in self._described:
                try:
                    text, _ = await self.call(model, "fields_get", {"attributes": ATTRIBUTES})
                except RefusedError as fault:
                    if not fault.is_absence_of(model):
                        raise
                    self._described[model] = None
                else:
                    self._described[model] = text
            return self._described[model]

    async def search_read(
        self, model: str, domain: Domain, fields: Sequence[str], limit: int
    ) -> Rows:
        """The next records by id, in plain values: many2one as ids."""
        kwargs = {
            "domain": domain,
            "fields": list(fields),
            "limit": limit,
            "order": "id asc",
            "load": None,
        }
        if model not in self._in_two_calls:
            try:
                result, response = await self.call(model, "search_read", kwargs)
            except RefusedError as fault:
                # Odoo 14, and apps that override the method in its old form.
                if not fault.is_ignorance_of("load"):
                    raise
                self._in_two_calls.add(model)
            else:
                return Rows(decode(result, list[msgspec.Raw]), response.observed_at)
        return await self._searched_and_read(model, domain, fields, limit)

    async def _searched_and_read(
        self, model: str, domain: Domain, fields: Sequence[str], limit: int
    ) -> Rows:
        after = 0
        while True:
            ids = await self.search(model, [*domain, ["id", ">", after]], limit)
            if ids and min(ids) <= after:
                raise PaginationLoop(f"the ids of {model} do not move past {after}")
            result, response = await self.call(
                model, "read", {"fields": list(fields), "load": None}, ids=ids
            )
            rows = decode(result, list[msgspec.Raw])
            if rows or not ids:
                return Rows(rows, response.observed_at)
            after = max(ids)  # all were deleted between the two calls: no end

    async def search(self, model: str, domain: Domain, limit: int | None) -> list[int]:
        """The next ids; all of them where ``limit`` is None."""
        kwargs = {"domain": domain, "limit": limit, "order": "id asc"}
        result, _ = await self.call(model, "search", kwargs)
        return decode(result, list[int])

    async def fates(self, model: str, ids: Sequence[int]) -> tuple[set[int], set[int]]:
        """Which of the records that no search shows are there after all, and which are closed.

        A read leaves out what is gone, but refuses whole where one record is closed to us:
        then its halves are asked.
        """
        try:
            fields = {"fields": ["write_date"], "load": None}
            result, _ = await self.call(model, "read", fields, ids=ids)
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            refused = (set[int](), set(ids))
        except RefusedError as fault:
            if fault.kind != "MissingError" and fault.status != 404:
                raise
            refused = (set[int](), set[int]())
        else:
            return {one.id for one in decode(result, list[_Id])}, set()
        if len(ids) == 1:
            return refused
        half = len(ids) // 2
        first = await self.fates(model, ids[:half])
        second = await self.fates(model, ids[half:])
        return first[0] | second[0], first[1] | second[1]


def _date(response: Response) -> datetime | None:
    text = response.headers.get("date")
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def fields_from(text: bytes) -> dict[str, dict[str, Any]]:
    """A description as name -> attributes.

    Raises:
        ProtocolError: it is none.
    """
    found: dict[str, dict[str, Any]] = decode(text, dict[str, dict[str, Any]])
    if not found:
        raise ProtocolError("fields_get describes no field")
    return found
