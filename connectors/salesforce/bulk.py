"""Bulk API 2.0: a query as a job whose results are tables.

Cells are text; they are turned into the JSON that the REST API gives of the same record, so
that reading a record by the other way makes no new version of it.
"""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, PaginationLoop, ProtocolError, VendorError
from connectors.salesforce.session import Session

ROWS_AT_ONCE = 10_000
FIRST_LOOK_SECONDS = 0.2
LONGEST_LOOK_SECONDS = 30.0
LOOKS = 2_000
NUMBERS = frozenset({"currency", "double", "percent", "int", "long"})
_ENDED = frozenset({"Aborted", "Failed"})


class _Job(msgspec.Struct):
    id: str
    state: str
    errorMessage: str | None = None  # noqa: N815 - the vendor's spelling
    numberRecordsProcessed: int | None = None  # noqa: N815 - the vendor's spelling


@dataclass(frozen=True, slots=True)
class Table:
    """A page of results as REST would show them; ``locator`` None on the last one."""

    rows: Sequence[bytes]
    observed_at: datetime
    locator: str | None


class JobRefusedError(VendorError):
    """There is no job of this query: the object has none, the day's are spent, or it failed."""


async def start(session: Session, soql: str) -> str:
    """Start a job over deleted records, too; its id.

    Raises:
        JobRefusedError: the org makes no such job.
    """
    body = {"operation": "queryAll", "query": soql, "contentType": "CSV"}
    body |= {"columnDelimiter": "COMMA", "lineEnding": "LF"}
    try:
        response = await session.post("jobs/query", body)
    except (VendorError, AccessDenied) as fault:
        if isinstance(fault, AccessDenied) and fault.whole_source:
            raise
        if fault.status not in {400, 403, 404}:
            raise
        raise JobRefusedError(str(fault), status=fault.status) from None
    return decode(response.body, _Job).id


async def finish(session: Session, job: str) -> int | None:
    """Wait until the job is done; how many records it says to have.

    Raises:
        JobRefusedError: it failed, was aborted, or does not end.
    """
    wait = FIRST_LOOK_SECONDS
    for _ in range(LOOKS):
        told = decode((await session.get(f"jobs/query/{job}")).body, _Job)
        if told.state == "JobComplete":
            return told.numberRecordsProcessed
        if told.state in _ENDED:
            raise JobRefusedError(f"the query job {job} is {told.state}: {told.errorMessage}")
        await asyncio.sleep(wait)
        wait = min(LONGEST_LOOK_SECONDS, wait * 2)
    raise JobRefusedError(f"the query job {job} does not end")


async def drop(session: Session, job: str) -> None:
    """Delete a job that was read: its results count towards the org's storage."""
    await session.delete(f"jobs/query/{job}")


async def tables(
    session: Session, job: str, types: Mapping[str, str], locator: str | None
) -> AsyncIterator[Table]:
    """The results from a locator on.

    Raises:
        ProtocolError: a page has not the number of rows that it says, or does not say it.
        PaginationLoop: a locator comes again.
    """
    seen: set[str] = set()
    while True:
        params = {"maxRecords": str(ROWS_AT_ONCE)}
        if locator:
            params["locator"] = locator
        response = await session.table(f"jobs/query/{job}/results", params)
        rows = _rows(response.body, types)
        told = response.headers.get("sforce-numberofrecords", "")
        if told != str(len(rows)):
            raise ProtocolError(f"the job {job} says {told or 'no'} rows and shows {len(rows)}")
        following = response.headers.get("sforce-locator")
        if following is None:
            # A header that was lost on the way is not the last page.
            raise ProtocolError(f"a page of the job {job} does not say whether another follows")
        locator = None if following == "null" else following
        yield Table(rows, response.observed_at, locator)
        if locator is None:
            return
        if locator in seen:
            raise PaginationLoop(f"the results of the job {job} do not end")
        seen.add(locator)


def whole(job: str, told: int | None, shown: int) -> None:
    """Refuse a job whose pages showed another number of records than it has.

    Raises:
        ProtocolError: they did.
    """
    if told is not None and told != shown:
        raise ProtocolError(f"the job {job} has {told} records and showed {shown}")


def _rows(body: bytes, types: Mapping[str, str]) -> list[bytes]:
    text = io.StringIO(body.decode("utf-8"), newline="")
    # The largest long text area of the vendor has 131,072 characters.
    csv.field_size_limit(2_000_000)
    table = csv.DictReader(text, strict=True)
    try:
        return [_as_json(row, types) for row in table]
    except csv.Error as fault:
        raise ProtocolError(f"a table that cannot be read: {fault}") from None


def _as_json(row: Mapping[str, Any], types: Mapping[str, str]) -> bytes:
    parts = []
    for name, cell in row.items():
        if name is None or cell is None:
            raise ProtocolError("a row of a table has not as many cells as its head")
        parts.append(f"{json.dumps(name)}:{_value(cell, types.get(name, 'string'))}")
    return ("{" + ",".join(parts) + "}").encode()


def _value(cell: str, kind: str) -> str:
    if cell == "":
        return "null"
    if kind == "boolean":
        return cell.lower()
    if kind in NUMBERS:
        return cell
    if kind == "datetime":
        return json.dumps(cell.removesuffix("Z") + "+0000")
    return json.dumps(cell, ensure_ascii=False)
