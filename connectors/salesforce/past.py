"""The past of an object: by id, or by a job where the records are many.

A job is a favour of the vendor's: some objects have none, an org has so many a day, and one may
fail. Then the past is read by id, which takes longer and gives the same records.
"""

from collections.abc import AsyncIterator

import msgspec

from connectors.base.errors import (
    AccessDenied,
    CursorExpired,
    PaginationLoop,
    SourceError,
    VendorError,
)
from connectors.base.stream import Page
from connectors.base.window import cursor_instant
from connectors.salesforce import bulk
from connectors.salesforce.opening import TooSlowError
from connectors.salesforce.rows import PAGE, Read, literal

FEWEST = 50
"""Rows of a page below which a query that is too slow is not worth another try."""


async def past(read: Read) -> AsyncIterator[Page]:
    """All records up to the moment that the cursor names, each page a resume point.

    Raises:
        CursorExpired: the job is gone; the next run starts another one.
        PaginationLoop: the ids do not move on.
    """
    told = read.mark["past"]
    is_new = not {"job", "by_id"} & told.keys() and not told["after"]
    if is_new and await read.session.count(read.kind) >= read.session.settings.bulk_rows:
        told |= {"job": None, "locator": None, "shown": 0}
    if "job" in told:
        try:
            async for page in _by_job(read):
                yield page
        except bulk.JobRefusedError as fault:
            for name in ("job", "locator", "shown"):
                del told[name]
            told["by_id"] = True
            yield Page(cursor=dict(read.mark), note=f"read by id: {fault}")
        else:
            return
    async for page in _by_id(read):
        yield page


async def _by_id(read: Read) -> AsyncIterator[Page]:
    told, limit = read.mark["past"], PAGE
    bound = _bound(read)
    while True:
        after = told["after"]
        condition = f"{read.kind.clock} < {bound}" + (f" AND Id > '{after}'" if after else "")
        shown = 0
        try:
            async for found in read.found(condition, "Id", limit):
                records, rejected = read.landed(found.rows, found.observed_at)
                shown += found.count
                if records and records[0].record_id <= told["after"]:
                    raise PaginationLoop(f"the ids of {read.kind.name} do not move past {after}")
                told["after"] = max([told["after"], *(one.record_id for one in records)])
                yield Page(records, dict(read.mark), rejected=rejected)
        except CursorExpired:
            # The ids say where to go on; a locator is only a shorter way.
            if told["after"] == after:
                raise
            continue
        except TooSlowError:
            limit //= 2
            if limit < FEWEST:
                raise
            continue
        if shown < limit:
            return


async def _by_job(read: Read) -> AsyncIterator[Page]:
    """A job's results; each page is a resume point, for as long as the org keeps them."""
    told = read.mark["past"]
    if told["job"] is None:
        soql = read.select(f"{read.kind.clock} < {_bound(read)}", limit=None)
        told["job"] = await bulk.start(read.session, soql)
        yield Page(cursor=dict(read.mark))
    try:
        count = await bulk.finish(read.session, told["job"])
        told["shown"] = told["shown"] if told["locator"] else 0
        async for table in bulk.tables(
            read.session, told["job"], read.shape.fields, told["locator"]
        ):
            rows = [msgspec.Raw(row) for row in table.rows]
            records, rejected = read.landed(rows, table.observed_at)
            shown = told["shown"] + len(rows)
            if table.locator is None:
                bulk.whole(told["job"], count, shown)
            told |= {"locator": table.locator, "shown": shown}
            yield Page(records, dict(read.mark), rejected=rejected)
    except VendorError as fault:
        if fault.status != 404:
            raise
        # The org keeps results for seven days: begin anew.
        told |= {"job": None, "locator": None, "shown": 0}
        raise CursorExpired(
            "the query job is gone; the next run starts another one", status=404
        ) from fault
    try:
        await bulk.drop(read.session, told["job"])
    except SourceError as fault:
        if isinstance(fault, AccessDenied) and fault.whole_source:
            raise
        # It is the org's storage alone, and the org drops it after a week.
        yield Page(note=f"the query job {told['job']} could not be deleted")


def _bound(read: Read) -> str:
    until = cursor_instant(read.mark["past"], "until", read.request.now)
    return literal(until or read.request.now)
