"""Reading a module: what was converted, what changed, and then what left.

A cursor holds ``since``, the end of the last whole window in the vendor's clock; ``at`` and
``id`` while a window is being walked; ``converted_since``, ``deleted_since``, ``swept_at``.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import (
    AccessDenied,
    BadRecord,
    ProtocolError,
    VendorError,
)
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant, instant_text
from connectors.zoho.converted import Converted
from connectors.zoho.leaving import Leaving, begun
from connectors.zoho.modules import Module
from connectors.zoho.records import Row, encode, fields_of, landed, read_rows
from connectors.zoho.session import LIST_FIELDS, MARKS, Found, Session
from connectors.zoho.walk import Place, mark_of, walk

AT_ONCE = 20
IDS_IN_A_QUERY = 100


async def missing_module(session: Session, module: Module, request: ReadRequest) -> str | None:
    """Why a module is not read, in words for the report; None where it is there.

    Raises:
        AccessDenied: it has to be there, was read before, or may not be seen.
    """
    found = (await session.modules()).get(module.name)
    if found is not None and not found.viewable:
        raise AccessDenied(
            f"the module {module.name} may not be seen by the user who made the grant. Let its "
            "profile see it, or drop the stream from `streams`."
        )
    if found is not None and found.api_supported and found.status != "system_hidden":
        return None
    if module.is_core or request.cursor is not None:
        raise AccessDenied(
            f"there is no module {module.name} any more, or it is not shown to the user who made "
            "the grant. Let its profile see it, or drop the stream from `streams`."
        )
    return f"skipped: this organisation has no module {module.name}"


class Reader:
    """One read of one module."""

    def __init__(self, session: Session, module: Module, request: ReadRequest) -> None:
        self._session = session
        self._module = module
        self._request = request
        cursor = request.cursor if request.cursor is not None and not request.full else {}
        self._mark: dict[str, Any] = dict(cursor)
        self._notes: list[str] = []
        self._converted: frozenset[str] = frozenset()

    async def pages(self) -> AsyncIterator[Page]:
        """Yield changed records, then those that were deleted or closed to us.

        Raises:
            AccessDenied: the module is not shown, and was read before or has to be there.
            PaginationLoop: the pages do not move on.
        """
        session, request = self._session, self._request
        note = await missing_module(session, self._module, request)
        if note is not None:
            yield Page(note=note)
            return
        is_first = not self._mark
        started = await session.server_now(request.now)
        if is_first:
            # From the start of the first load on, however often it is interrupted.
            self._mark |= begun(started, request.now)
        if self._module.converts:
            converted = Converted(session, self._module, request, self._mark)
            async for page in converted.pages():
                yield page
            self._converted = frozenset(converted.ids)
        async for page in self._changed(started):
            yield page
        leaving = Leaving(session, self._module, request, self.read_ids)
        async for page in leaving.pages(self._mark, started, is_first=is_first):
            yield page
        for said in dict.fromkeys(self._notes):
            yield Page(note=said)

    async def _changed(self, started: datetime) -> AsyncIterator[Page]:
        settings, now = self._session.settings, self._request.now
        end = (started - timedelta(seconds=settings.settle_seconds)).replace(microsecond=0)
        since = cursor_instant(self._mark, "since", now)
        low = None if since is None else since - timedelta(minutes=settings.lookback_minutes)
        at = cursor_instant(self._mark, "at", now)
        place = None if at is None else Place(at, int(self._mark["id"]))
        if (low is not None and low >= end) or (place is not None and place.at >= end):
            return
        async for found in walk(
            self._session,
            self._module,
            self._columns,
            low=low,
            end=end,
            place=place,
            told=self._notes.append,
        ):
            page = await self._landed(found)
            if found.last is not None:
                self._mark |= mark_of(found.last)
            yield Page(page.records, dict(self._mark), rejected=page.rejected)
        for name in ("at", "id"):
            self._mark.pop(name, None)
        self._mark["since"] = instant_text(end)
        yield Page(cursor=dict(self._mark))

    async def _columns(self) -> Sequence[str]:
        if self._module.lines is not None:
            await self._session.readable(self._module)  # refuses hidden money
            return MARKS
        return await self._session.columns(self._module)

    async def read_ids(self, ids: Sequence[str]) -> AsyncIterator[Page]:
        """Records by id, as the changed ones land; those that are not shown are left out."""
        for start in range(0, len(ids), IDS_IN_A_QUERY):
            part = ids[start : start + IDS_IN_A_QUERY]
            found = await self._session.found(
                self._module.name,
                await self._columns(),
                f"id in ({', '.join(part)})",
                "id asc",
                200,
            )
            yield await self._landed(found)

    # Records.

    async def _landed(self, found: Found) -> Page:
        rows = [row for row in found.rows if row.id not in self._converted]
        if self._module.lines is None:
            records, rejected = landed(rows, found.observed_at)
            return Page(records, rejected=[*found.rejected, *rejected])
        records, rejected = [], list(found.rejected)
        for start in range(0, len(rows), AT_ONCE):
            part = await self._documents(rows[start : start + AT_ONCE])
            records += part.records
            rejected += part.rejected
        return Page(records, rejected=rejected)

    async def _documents(self, rows: Sequence[Row]) -> Page:
        """Documents in full; one that is gone meanwhile is told by its delete.

        One that the server cannot show while it shows others is set aside: the comparison
        of ids asks for it again.
        """
        asked = (self._document(row) for row in rows)
        fetched = await asyncio.gather(*asked, return_exceptions=True)
        faults = [one for one in fetched if isinstance(one, BaseException)]
        lasting = [
            one for one in faults if not isinstance(one, VendorError | ProtocolError | BadRecord)
        ]
        if lasting or (faults and len(faults) == len(fetched)):
            raise (lasting or faults)[0]
        records: list[Record] = []
        refused: list[Rejected] = []
        for row, one in zip(rows, fetched, strict=True):
            if isinstance(one, BaseException):
                refused.append(Rejected(row.id, str(one), row.raw))
            elif one is not None:
                good, bad = landed([one[0]], one[1])
                records += good
                refused += bad
        return Page(records, rejected=refused)

    async def _document(self, row: Row) -> tuple[Row, datetime] | None:
        name, lines = self._module.name, self._module.lines
        found = await self._session.one(name, row.id)
        if found is None:
            return None
        shown, bad = read_rows(found.rows)
        if bad or len(shown) != 1 or shown[0].id != row.id:
            raise ProtocolError(f"GET {name}/{row.id} shows another record")
        document = shown[0]
        if lines is not None and _has_more(document.raw, lines):
            raw = await self._with_all_lines(document, lines)
            document = Row(document.id, document.at, raw)
        # As new as the list said at least.
        return Row(document.id, document.at or row.at, document.raw), found.observed_at

    async def _with_all_lines(self, document: Row, lines: str) -> bytes:
        """A document whose subform is longer than one answer shows."""
        names = [one.api_name for one in await self._session.fields(lines)][:LIST_FIELDS]
        whole: list[bytes] = []
        async for page in self._session.pages(
            f"{self._module.name}/{document.id}/{lines}", "data", {"fields": ",".join(names)}
        ):
            whole += [bytes(raw) for raw in page.rows]
        fields = fields_of(document.raw)
        text = b"[" + b",".join(whole) + b"]"
        return encode({**fields, lines: msgspec.Raw(text)})


def _has_more(raw: bytes, lines: str) -> bool:
    told = fields_of(raw).get("$has_more")
    if told is None:
        return False
    found = decode(bytes(told), Any)
    return bool(found.get(lines)) if isinstance(found, dict) else False
