"""One open HubSpot account: its calls, its refusals, and which properties it has."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from connectors.base.auth import Auth
from connectors.base.client import Client, Response
from connectors.base.decode import decode, partial
from connectors.base.errors import AccessDenied, BadRecord, PaginationLoop, ProtocolError
from connectors.hubspot.objects import BODIES, ObjectType
from connectors.hubspot.records import Listing, Paging, Tie
from connectors.hubspot.settings import HubspotSettings

LIST_LIMIT = 100
HISTORY_LIMIT = 50
# One production connector met refusals above 5 kB of address; the rest of it needs room too.
MAX_PROPERTIES_IN_ADDRESS = 4_000
MAX_ASSOCIATION_ROUNDS = 1_000


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the list; ``is_bare`` when it holds ids and dates only."""

    listing: Listing
    observed_at: datetime
    is_bare: bool


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The records of a batch that were found, in no order."""

    rows: Sequence[msgspec.Raw]
    observed_at: datetime


class _Fault(msgspec.Struct):
    category: str | None = None
    subCategory: Any = None  # noqa: N815 - the vendor's spelling
    message: str | None = None


class _Batch(msgspec.Struct):
    results: list[msgspec.Raw]
    errors: list[_Fault] = []


class _Property(msgspec.Struct):
    name: str
    hubspotDefined: bool = False  # noqa: N815 - the vendor's spelling
    calculated: bool = False
    archived: bool = False


class _Kind(msgspec.Struct):
    typeId: int  # noqa: N815 - the vendor's spelling
    label: str | None = None
    category: str = "HUBSPOT_DEFINED"

    @property
    def is_primary(self) -> bool:
        """Marks the primary company; the numbers of people's own labels may be the same."""
        return self.category == "HUBSPOT_DEFINED" and self.typeId in PRIMARY_TYPES


class _To(msgspec.Struct):
    # Text by the specification, seen as a number in live answers.
    toObjectId: str | int  # noqa: N815 - the vendor's spelling
    associationTypes: list[_Kind] = []  # noqa: N815 - the vendor's spelling


class _From(msgspec.Struct):
    id: str | int


class _Associated(msgspec.Struct):
    from_: _From = msgspec.field(name="from")
    to: list[_To] = []
    paging: Paging | None = None


class _Associations(msgspec.Struct):
    results: list[_Associated]
    errors: list[_Fault] = []


PRIMARY_TYPES = frozenset({1, 2, 5, 6})
"""Association type ids of the primary company of a contact or deal, and back."""


class Session:
    """What every reader of one account shares: the client and what it learnt."""

    def __init__(self, client: Client, settings: HubspotSettings, auth: Auth) -> None:
        self.client = client
        self._auth = auth
        self.settings = settings
        self._server_now: datetime | None = None
        self._names: dict[str, tuple[str, ...]] = {}
        self._naming = asyncio.Lock()

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

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Response:
        """GET; a refusal for lack of rights names the missing scopes."""
        return self._seen(await self.client.get(path, params=params or {}))

    async def post(
        self,
        path: str,
        body: Any,
        *,
        budget: str = "default",
        ok: frozenset[int] = frozenset({200}),
    ) -> Response:
        """POST of a reading kind: batch, search, associations."""
        return self._seen(await self.client.post_json(path, body, budget=budget, ok=ok))

    def _seen(self, response: Response) -> Response:
        text = response.headers.get("date")
        if text:
            try:
                self._server_now = parsedate_to_datetime(text)
            except ValueError:
                return response
        return response

    async def server_now(self, fallback: datetime) -> datetime:
        """The vendor's clock at the latest answer: cursors are made of its time, not ours."""
        if self._server_now is None:
            await self.get("/account-info/2026-09/details")
        return self._server_now or fallback

    async def introspect(self) -> Response:
        """HubSpot's own answer about the credential: its scopes, where it tells them."""
        token = (await self._auth.headers())["Authorization"].removeprefix("Bearer ")
        if self.settings.token is not None:
            path = "/oauth/v2/private-apps/get/access-token-info"
            return await self.post(path, {"tokenKey": token})
        secret = self.settings.client_secret
        form = {
            "client_id": self.settings.client_id or "",
            "client_secret": secret.get_secret_value() if secret else "",
            "token": token,
            "token_type_hint": "access_token",
        }
        path = "/oauth/2026-09/token/introspect"
        return self._seen(await self.client.post_form(path, form))

    # Properties.

    def configured_properties(self, kind: ObjectType) -> tuple[str, ...]:
        """The properties that we and the settings name, before discovery."""
        extra = self.settings.properties.get(kind.name, ())
        excluded = set(self.settings.exclude_properties.get(kind.name, ()))
        return tuple(sorted(name for name in {*kind.wanted, *extra} if name not in excluded))

    async def property_names(self, kind: ObjectType) -> tuple[str, ...]:
        """What to ask for: the named properties and the administrators' own, discovered.

        Without the right to see definitions the named ones are left; the stream
        ``properties`` fails and says so.
        """
        async with self._naming:
            known = self._names.get(kind.name)
            if known is None:
                known = await self._discover(kind)
                self._names[kind.name] = known
            return known

    async def _discover(self, kind: ObjectType) -> tuple[str, ...]:
        named = self.configured_properties(kind)
        if not (self.settings.custom_properties or kind.takes_all):
            return named
        try:
            response = await self.get(f"/crm/properties/{kind.version}/{kind.name}")
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            return named
        excluded = set(self.settings.exclude_properties.get(kind.name, ())) | BODIES
        own = set()
        for row in decode(response.body, Listing).results:
            try:
                one = partial(row, _Property)
            except BadRecord as fault:
                raise ProtocolError(f"properties of {kind.name}: {fault.reason}") from None
            # A calculated one may move with the clock; who wants it names it.
            is_wanted = kind.takes_all or not one.hubspotDefined
            if is_wanted and not (one.calculated or one.archived):
                own.add(one.name)
        return tuple(sorted({*named, *(own - excluded)}))

    # Records.

    def targets(self, kind: ObjectType) -> tuple[str, ...]:
        """The associated object types that are read: those whose own stream is active."""
        named = kind.linked or kind.inline
        return tuple(one for one in named if self.settings.is_active(one))

    @staticmethod
    def batch_size(kind: ObjectType) -> int:
        """Ids per batch read; half with history, as for the list."""
        return HISTORY_LIMIT if kind.history else LIST_LIMIT

    async def list_page(
        self,
        kind: ObjectType,
        names: Sequence[str],
        archived: bool,
        after: str | None,
        bare: bool,
    ) -> ListPage:
        """One page of the list, ids ascending; bare when the properties fit no address."""
        asked = ",".join(names)
        is_bare = bare or len(asked) + len(",".join(kind.history)) > MAX_PROPERTIES_IN_ADDRESS
        params = {"archived": "true" if archived else "false", "limit": str(LIST_LIMIT)}
        if is_bare:
            params["properties"] = "hs_merged_object_ids"
        else:
            params["properties"] = asked
            if kind.history:
                params["propertiesWithHistory"] = ",".join(kind.history)
                params["limit"] = str(HISTORY_LIMIT)
            if kind.inline and not archived and (targets := self.targets(kind)):
                params["associations"] = ",".join(targets)
        if after is not None:
            params["after"] = after
        response = await self.get(f"/crm/objects/{kind.version}/{kind.name}", params)
        return ListPage(decode(response.body, Listing), response.observed_at, is_bare)

    async def batch_read(
        self, kind: ObjectType, ids: Sequence[str], names: Sequence[str], *, archived: bool
    ) -> BatchAnswer:
        """Records by id; those that are gone are left out.

        Raises:
            ProtocolError: records are missing and the answer does not say why.
        """
        body: dict[str, Any] = {"inputs": [{"id": one} for one in ids], "properties": names}
        if kind.history:
            body["propertiesWithHistory"] = kind.history
        path = f"/crm/objects/{kind.version}/{kind.name}/batch/read"
        path += "?archived=true" if archived else ""
        response = await self.post(path, body, ok=frozenset({200, 207}))
        answer = decode(response.body, _Batch)
        _only_not_found(answer.errors, f"batch read of {kind.name}")
        if response.status == 200 and len(answer.results) < len(set(ids)) and not answer.errors:
            raise ProtocolError(
                f"a batch read of {len(set(ids))} {kind.name} shows {len(answer.results)} "
                "and says of none that it is gone"
            )
        return BatchAnswer(answer.results, response.observed_at)

    async def search(self, kind: ObjectType, body: Mapping[str, Any]) -> Response:
        """One search; all of them share the account's search allowance."""
        path = f"/crm/objects/{kind.version}/{kind.name}/search"
        return await self.post(path, body, budget="search")

    async def ties(self, kind: ObjectType, target: str, ids: Sequence[str]) -> dict[str, list[Tie]]:
        """All associations of some records with one object type; every id has a list."""
        return (await self.ties_at(kind, target, ids))[0]

    async def ties_at(
        self, kind: ObjectType, target: str, ids: Sequence[str]
    ) -> tuple[dict[str, list[Tie]], datetime]:
        """As `ties`, and when the last answer came.

        Raises:
            PaginationLoop: the pages of one record's associations do not end.
        """
        path = f"/crm/associations/{kind.version}/{kind.name}/{target}/batch/read"
        found: dict[str, dict[str, Tie]] = {one: {} for one in ids}
        inputs: list[dict[str, str]] = [{"id": one} for one in ids]
        for _ in range(MAX_ASSOCIATION_ROUNDS):
            response = await self.post(path, {"inputs": inputs}, ok=frozenset({200, 207}))
            answer = decode(response.body, _Associations)
            _only_not_found(answer.errors, f"associations of {kind.name} with {target}")
            following: list[dict[str, str]] = []
            for row in answer.results:
                record_id = str(row.from_.id)
                ties = found.setdefault(record_id, {})
                before = len(ties)
                for to in row.to:
                    _add(ties, to)
                if row.paging and row.paging.next:
                    if len(ties) == before:
                        raise PaginationLoop(
                            f"the {target} of {kind.name} {record_id} do not move on"
                        )
                    following.append({"id": record_id, "after": row.paging.next.after})
            if not following:
                ordered = {one: list(ties.values()) for one, ties in found.items()}
                return ordered, response.observed_at
            inputs = following
        raise PaginationLoop(f"the {target} of {kind.name} do not end")


def _add(ties: dict[str, Tie], to: _To) -> None:
    """Add one target; HubSpot may name it once per label."""
    record_id = str(to.toObjectId)
    known = ties.get(record_id, Tie(record_id))
    given = {kind.label for kind in to.associationTypes if kind.label and not kind.is_primary}
    is_primary = any(kind.is_primary for kind in to.associationTypes)
    labels = tuple(sorted({*known.labels, *given}))
    ties[record_id] = Tie(record_id, labels, known.primary or is_primary)


def _only_not_found(errors: Sequence[_Fault], what: str) -> None:
    """Records that are gone, or have no associations, are no fault; all else is."""
    for fault in errors:
        if fault.category != "OBJECT_NOT_FOUND":
            raise ProtocolError(f'{what}: "{fault.message}" ({fault.category})')
