"""One open company: queries, change data capture, and the vendor's clock."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from connectors.base.auth import OAuth
from connectors.base.client import Client, Response
from connectors.base.errors import ProtocolError
from connectors.quickbooks.entities import ENTITIES
from connectors.quickbooks.faults import refusal, told
from connectors.quickbooks.records import instant
from connectors.quickbooks.settings import QuickbooksSettings

MINOR_VERSION = "75"
CDC_CAP = 1000
"""Objects in one answer of change data capture, all entities together; there are no pages."""
PULSE_MARGIN = timedelta(minutes=10)
"""How much further back a shared answer reaches than the stream that asked for it."""


class _MaybeFault(msgspec.Struct):
    Fault: msgspec.Raw = msgspec.Raw(b"")
    fault: msgspec.Raw = msgspec.Raw(b"")


class _Answer(msgspec.Struct):
    QueryResponse: dict[str, msgspec.Raw]
    time: str | None = None


class _Changes(msgspec.Struct):
    QueryResponse: list[dict[str, msgspec.Raw]]


class _Cdc(msgspec.Struct):
    CDCResponse: list[_Changes]
    time: str | None = None


class _Item(msgspec.Struct):
    name: str = msgspec.field(name="bId")
    QueryResponse: dict[str, msgspec.Raw] | None = None
    Fault: msgspec.Raw = msgspec.Raw(b"")


class _Batch(msgspec.Struct):
    BatchItemResponse: list[_Item]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one answer, and both clocks of it."""

    rows: Sequence[msgspec.Raw]
    observed_at: datetime
    server_time: datetime


@dataclass(frozen=True, slots=True)
class Pulse:
    """What changed since a moment, by entity, from one answer."""

    since: datetime
    rows: Mapping[str, Rows]


class Session:
    """Requests of one company, counted and limited together."""

    def __init__(self, client: Client, settings: QuickbooksSettings, auth: OAuth) -> None:
        self.client = client
        self.settings = settings
        self.auth = auth
        self._root = f"/v3/company/{settings.realm_id}"
        self._turn = asyncio.Lock()
        self._pulse: Pulse | None = None
        self._overfull: datetime | None = None

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self.client.requests

    @property
    def bytes(self) -> int:
        """Bytes of answers so far."""
        return self.client.bytes

    async def query(self, entity: str, statement: str) -> Rows:
        """Rows of a SELECT; none where the answer leaves the entity out."""
        answer, response = await self._ask(statement)
        return Rows(
            _rows(answer.QueryResponse, entity, statement),
            response.observed_at,
            instant(answer.time) or response.observed_at,
        )

    async def count(self, entity: str, condition: str) -> int:
        """How many rows a condition has.

        Raises:
            ProtocolError: the answer holds no count.
        """
        statement = f"SELECT COUNT(*) FROM {entity}{condition}"  # noqa: S608 - our own words
        answer, _ = await self._ask(statement)
        return _count(answer.QueryResponse, statement)

    async def counts(self, entities: Sequence[str]) -> Mapping[str, int | str]:
        """Rows by entity in one call, or the refusal of each that may not be read."""
        asked = [
            {"bId": name, "Query": f"select count(*) from {name}"}  # noqa: S608 - our own names
            for name in entities
        ]
        path = f"{self._root}/batch?minorversion={MINOR_VERSION}"
        response = await self.client.post_json(path, {"BatchItemRequest": asked})
        _refuse_fault(response, "POST batch")
        found: dict[str, int | str] = {}
        for item in response.decode(_Batch).BatchItemResponse:
            if bytes(item.Fault):
                found[item.name] = str(told(b'{"Fault":' + bytes(item.Fault) + b"}"))
            elif item.QueryResponse is not None:
                found[item.name] = _count(item.QueryResponse, f"the count of {item.name}")
        return found

    async def changed(self, entity: str, since: datetime) -> Rows | None:
        """What changed since a moment, deletions included; None when it is too much to tell.

        One answer serves all streams of a run that ask from about the same moment: each
        call counts as a metered read.
        """
        async with self._turn:
            pulse = self._pulse
            if pulse is not None and pulse.since <= since and entity in pulse.rows:
                return pulse.rows[entity]
            if self._overfull is None or since < self._overfull:
                wanted = self._pulsed()
                if entity in wanted:
                    begin = since - PULSE_MARGIN
                    pulse = await self._cdc(wanted, begin)
                    if pulse is not None:
                        self._pulse = pulse
                        return pulse.rows[entity]
                    self._overfull = since
        alone = await self._cdc((entity,), since)
        return None if alone is None else alone.rows[entity]

    def _pulsed(self) -> tuple[str, ...]:
        """Entities of the wanted streams, and those that change their balances."""
        wanted = [one for one in ENTITIES if one.in_cdc and self.settings.is_active(one.stream)]
        names = [name for one in wanted for name in (one.name, *one.touched_by)]
        return tuple(dict.fromkeys(names))

    async def _cdc(self, entities: Sequence[str], since: datetime) -> Pulse | None:
        params = {
            "entities": ",".join(entities),
            "changedSince": moment(since),
            "minorversion": MINOR_VERSION,
        }
        response = await self.client.get(f"{self._root}/cdc", params=params)
        _refuse_fault(response, "GET cdc")
        answer = response.decode(_Cdc)
        if not answer.CDCResponse:
            raise ProtocolError("GET cdc: an answer without any part")
        told_at = instant(answer.time) or response.observed_at
        found: dict[str, list[msgspec.Raw]] = {name: [] for name in entities}
        for part in (one for reply in answer.CDCResponse for one in reply.QueryResponse):
            if "Fault" in part:
                fault = told(b'{"Fault":' + bytes(part["Fault"]) + b"}")
                if fault is not None:
                    raise refusal(fault, "GET cdc", response.status)
            for name in part.keys() & found.keys():
                found[name] += _rows(part, name, "GET cdc")
        total = sum(map(len, found.values()))
        if total >= CDC_CAP:
            return None
        return Pulse(
            since,
            {name: Rows(rows, response.observed_at, told_at) for name, rows in found.items()},
        )

    async def _ask(self, statement: str) -> tuple[_Answer, Response]:
        params = {"query": statement, "minorversion": MINOR_VERSION}
        response = await self.client.get(f"{self._root}/query", params=params)
        _refuse_fault(response, f"GET query ({statement[:80]})")
        return response.decode(_Answer), response


def _refuse_fault(response: Response, what: str) -> None:
    """A fault under a 200 is a fault."""
    head = response.decode(_MaybeFault)
    fault = told(response.body) if bytes(head.Fault) or bytes(head.fault) else None
    if fault is not None:
        tid = response.headers.get("intuit_tid")
        named = f" (request {tid})" if tid else ""
        raise refusal(fault, f"{response.status} from {what}{named}", response.status)


def _rows(answer: Mapping[str, msgspec.Raw], entity: str, what: str) -> list[msgspec.Raw]:
    raw = answer.get(entity)
    if raw is None:
        return []
    try:
        return msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.MsgspecError as fault:
        raise ProtocolError(f"{what}: {entity} is no list: {fault}") from None


def _count(answer: Mapping[str, msgspec.Raw], what: str) -> int:
    raw = answer.get("totalCount")
    if raw is None:
        raise ProtocolError(f"{what}: an answer without totalCount")
    return int(msgspec.json.decode(raw, type=int))


def moment(instant: datetime) -> str:
    """An instant as statements and parameters carry it: whole seconds, UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
