"""One open Vtiger: queries, single records, descriptions and deletes, in either dialect.

The dialects differ in the address and the credential alone: ``webservice.php`` with a
session by sign-in, ``restapi/v1/vtiger/default/…`` with HTTP Basic.
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
from connectors.base.errors import AccessDenied, ProtocolError, SourceError, VendorError
from connectors.vtiger.envelope import PASSING, SESSION_IS_OVER, RefusedError, opened
from connectors.vtiger.settings import CLOUD_PATH, OPEN_SOURCE_PATH, VtigerSettings
from connectors.vtiger.signin import SignIn, said_yes

PAGE = 100
"""The server's own cap; forks raise it, permissions and joins make pages shorter."""
Body: TypeAlias = bytes
"""The vendor's own JSON text of a result."""
HIDDEN_PAGES = {True: 0, None: 1, False: 5}
"""Empty pages in a row that may hide more, by whether we are administrator."""
TRIES = 3
FIRST_PAUSE_SECONDS = 0.5
IN_ENVELOPE = frozenset({200, 400, 404, 405, 422})
"""Statuses under which the cloud puts its reason into the envelope."""
OTHER_OBJECT = "given object"
"""In the words of a refusal that is about this one record, and not about the module."""


class _Types(msgspec.Struct):
    types: list[str]


class _Field(msgspec.Struct):
    name: str


class Description(msgspec.Struct):
    """A module as ``describe`` tells it, as far as we need it."""

    name: str
    idPrefix: str | int = ""  # noqa: N815 - the vendor's spelling
    fields: list[_Field] = []


class Deletions(msgspec.Struct):
    """What ``sync`` tells beside the changed rows, which are not looked at."""

    deleted: list[str] = []
    more: bool = False
    lastModifiedTime: int | str = 0  # noqa: N815 - the vendor's spelling


class _Count(msgspec.Struct):
    count: str | int


class _Me(msgspec.Struct):
    id: str = ""
    user_name: str | None = None
    is_admin: str | bool | int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Who we are there; None where the server does not say."""

    id: str
    is_admin: bool | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as the vendor's own text, and when they came."""

    rows: Sequence[msgspec.Raw]
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """A record asked for by its id: its text, or why there is none.

    ``fate`` is ``there``, ``gone`` (deleted) or ``closed`` (exists, but not for this user).
    """

    fate: str
    payload: bytes | None
    observed_at: datetime


class Session:
    """What every reader of one connection shares."""

    def __init__(self, client: Client, settings: VtigerSettings, sign_in: SignIn | None) -> None:
        """``sign_in`` is None where every call carries its own credential."""
        self.client = client
        self.settings = settings
        self._sign_in = sign_in
        self._types: frozenset[str] | None = None
        self._described: dict[str, bytes] = {}
        self._learning = asyncio.Lock()
        self._user: User | None = None
        self._server_now: datetime | None = None
        self.no_sync: str | None = None
        """Why ``sync`` does not work here; None while nothing speaks against it."""

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

    async def call(
        self,
        operation: str,
        params: Mapping[str, str] | None = None,
        *,
        what: str = "",
        ok: frozenset[int] = IN_ENVELOPE,
        tries: int = TRIES,
    ) -> tuple[Body, Response]:
        """GET an operation; its result as the vendor's own text.

        A session that is over is replaced once, a passing fault tried again.

        Raises:
            RefusedError: the server said no.
            AccessDenied: the session is refused right after signing in.
        """
        named = what or operation
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            account = await self._sign_in.account() if self._sign_in is not None else None
            if account is None:
                path, own = f"{CLOUD_PATH}/{operation}", {}
            else:
                path = OPEN_SOURCE_PATH
                own = {"operation": operation, "sessionName": account.session}
            response = await self.client.get(path, params={**own, **(params or {})}, ok=ok)
            self._server_now = _date(response) or self._server_now
            try:
                return opened(response, named), response
            except RefusedError as fault:
                if account is not None and fault.code in SESSION_IS_OVER and self._sign_in:
                    if renewed:
                        raise AccessDenied(
                            f"{fault}. The session that was opened a moment ago is unknown: "
                            "does the CRM run on several web servers without shared sessions?",
                            whole_source=True,
                        ) from None
                    renewed = True
                    attempt -= 1
                    await self._sign_in.account(refused=account.session)
                    continue
                if fault.code not in PASSING or attempt >= tries:
                    raise
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))

    # What there is.

    async def types(self) -> frozenset[str]:
        """The modules that this user may see."""
        async with self._learning:
            if self._types is None:
                result, _ = await self.call("listtypes")
                self._types = frozenset(decode(result, _Types).types)
            return self._types

    async def describe(self, module: str) -> Body:
        """A module with its fields and picklists.

        Raises:
            AccessDenied: the module is closed to this user.
        """
        async with self._learning:
            if module not in self._described:
                params = {"elementType": module}
                self._described[module] = await self._loud("describe", params, module)
            return self._described[module]

    async def columns(self, module: str, kept: frozenset[str]) -> str:
        """What to select so that only ``kept`` fields travel, and all of them exist.

        Everything where the module cannot be described: what must not land is taken out
        once more when a row is landed.
        """
        try:
            described = decode(await self.describe(module), Description)
        except (VendorError, ProtocolError):
            return "*"
        shown = {one.name for one in described.fields}
        return ", ".join(sorted((kept & shown) | {"id"}))

    async def user(self) -> User:
        """Who we are there."""
        if self._user is None:
            if self._sign_in is not None:
                account = await self._sign_in.account()
                self._user = User(account.user_id, account.is_admin, account.version)
            else:
                result, _ = await self.call("me")
                me = decode(result, _Me)
                self._user = User(me.id, said_yes(me.is_admin), None)
        return self._user

    async def server_now(self, fallback: datetime) -> datetime:
        """The server's own clock at its latest answer."""
        if self._server_now is None:
            await self.types()
        return self._server_now or fallback

    # Records.

    async def page(
        self, module: str, *conditions: str, columns: str = "*", order: str = "id"
    ) -> Rows:
        """One page of a query, or the next one that is not empty for lack of rights alone.

        The server drops what we may not see after the LIMIT has counted: a page of nothing
        but such rows looks like the end. An administrator sees everything.
        """
        found = await self.query(module, *conditions, columns=columns, order=order)
        for place in range(1, HIDDEN_PAGES[(await self.user()).is_admin] + 1):
            if found.rows:
                break
            found = await self.query(
                module, *conditions, columns=columns, order=order, offset=place * PAGE
            )
        return found

    async def query(
        self,
        module: str,
        *conditions: str,
        columns: str = "*",
        order: str = "id",
        offset: int = 0,
    ) -> Rows:
        """One page of a query whose conditions all hold.

        Only AND and plain comparisons: the server parses parentheses and drops them.

        Raises:
            AccessDenied: the module or a field of it is closed to this user.
        """
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        select = f"SELECT {columns} FROM {module}{where}"  # noqa: S608 - names and ids of ours
        text = f"{select} ORDER BY {order} LIMIT {offset},{PAGE};"
        try:
            result, response = await self.call("query", {"query": text}, what=f"query of {module}")
        except RefusedError as fault:
            raise _loud(fault, module) from None
        return Rows(decode(result, list[msgspec.Raw]), response.observed_at)

    async def count(self, module: str) -> int | None:
        """The server's own count of a module's records; None where it does not count.

        Some releases answer an empty list: they drop the row because it bears no id.
        """
        text = f"SELECT count(*) FROM {module};"  # noqa: S608 - a name of ours
        try:
            params = {"query": text}
            ok = IN_ENVELOPE | {500}
            result, _ = await self.call("query", params, what="count", ok=ok, tries=1)
            rows = decode(result, list[_Count])
        except (VendorError, ProtocolError):
            return None
        return int(rows[0].count) if rows and str(rows[0].count).isdecimal() else None

    async def fetch(self, record_id: str, module: str) -> Fetched:
        """One record by its id, line items included, or what became of it.

        Raises:
            RefusedError: the server cannot show it for another reason.
        """
        what = f"retrieve of {module} {record_id}"
        try:
            result, response = await self.call("retrieve", {"id": record_id}, what=what)
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            return Fetched("closed", None, self._now())
        except RefusedError as fault:
            # A deleted record has no module any more, and that is what is refused then;
            # an id whose number another module took is of the wrong type.
            if fault.code in {"RECORD_NOT_FOUND", "INVALID_ID_ATTRIBUTE"}:
                return Fetched("gone", None, self._now())
            if fault.code == "ACCESS_DENIED":
                is_closed = OTHER_OBJECT in fault.said
                return Fetched("closed" if is_closed else "gone", None, self._now())
            raise
        return Fetched("there", result, response.observed_at)

    async def deletions(self, module: str, since: int) -> tuple[list[str], int, bool]:
        """Ids deleted after a Unix second, the second reached, and whether there is more.

        None of the retries that a query gets: where ``sync`` is broken by its PHP release
        it answers 500 with an empty body, always.

        Raises:
            SourceError: ``sync`` is of no use here.
        """
        params = {
            "modifiedTime": str(since),
            "elementType": module,
            "syncType": "application",
        }
        what = f"sync of {module}"
        ok = IN_ENVELOPE | {500}
        result, _ = await self.call("sync", params, what=what, ok=ok, tries=1)
        found = decode(result, Deletions)
        text = str(found.lastModifiedTime)
        if not text.isdecimal():
            raise ProtocolError(f"{what}: lastModifiedTime is {text!r}")
        return found.deleted, int(text), found.more

    def _now(self) -> datetime:
        return self._server_now or datetime.now(UTC)

    async def _loud(self, operation: str, params: Mapping[str, str], module: str) -> Body:
        try:
            result, _ = await self.call(operation, params, what=f"{operation} of {module}")
        except RefusedError as fault:
            raise _loud(fault, module) from None
        return result


def is_about_sync(fault: SourceError) -> bool:
    """Whether a failed ``sync`` means that it does not work here, and nothing worse."""
    if isinstance(fault, AccessDenied):
        return not fault.whole_source
    return isinstance(fault, VendorError | ProtocolError)


def _loud(fault: RefusedError, module: str) -> SourceError:
    if fault.code == "ACCESS_DENIED":
        return AccessDenied(
            f"{fault}. Let the user's profile read {module} with all its fields, or drop the "
            "stream from `streams`."
        )
    return fault


def _date(response: Response) -> datetime | None:
    text = response.headers.get("date")
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
