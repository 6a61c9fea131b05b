"""What is small enough to be read whole each time: owners, pipelines, rates, definitions.

HubSpot marks no changes here that could be asked for, and what is missing from a whole
reading is gone; so each of these streams is a snapshot.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from connectors.base.decode import decode, partial
from connectors.base.errors import AccessDenied, BadRecord, PaginationLoop
from connectors.base.stream import Change, Page, ReadRequest, Record, Rejected
from connectors.base.window import instant_text
from connectors.hubspot.objects import CRM_VERSION, OBJECT_TYPES
from connectors.hubspot.records import Listing, instant
from connectors.hubspot.session import Session

OWNERS_LIMIT = 500
RATES_LIMIT = 100


class _Row(msgspec.Struct):
    id: str | int
    updatedAt: str | None = None  # noqa: N815 - the vendor's spelling
    archived: bool = False


class _Named(msgspec.Struct):
    name: str
    updatedAt: str | None = None  # noqa: N815 - the vendor's spelling
    archived: bool = False


async def read_owners(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Owners, those who left included: their deals still bear their id."""
    ids: list[str] = []
    for archived in ("false", "true"):
        params = {"limit": str(OWNERS_LIMIT), "archived": archived}
        async for page in _pages(session, f"/crm/owners/{CRM_VERSION}", params):
            ids += [record.record_id for record in page.records]
            yield page
    yield _whole(request, ids)


async def read_deal_pipelines(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Deal pipelines with their stages inline."""
    async for page in _all(session, request, f"/crm/pipelines/{CRM_VERSION}/deals", {}):
        yield page


async def read_lead_pipelines(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Lead pipelines with their stages inline."""
    async for page in _all(session, request, f"/crm/pipelines/{CRM_VERSION}/leads", {}):
        yield page


async def read_ticket_pipelines(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Ticket pipelines with their stages inline, each open or closed."""
    async for page in _all(session, request, f"/crm/pipelines/{CRM_VERSION}/tickets", {}):
        yield page


async def read_exchange_rates(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Every rate that was ever entered, each with the instant from which it holds."""
    path = f"/settings/currencies/{CRM_VERSION}/exchange-rates"
    async for page in _all(session, request, path, {"limit": str(RATES_LIMIT)}):
        yield page


async def read_company_currency(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """The account's own currency, which deals without a currency code are in."""
    response = await session.get(f"/settings/currencies/{CRM_VERSION}/company-currency")
    raw = msgspec.Raw(response.body)
    page = _page([raw], response.observed_at)
    yield page
    yield _whole(request, [record.record_id for record in page.records])


async def read_properties(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Property definitions per object type; record ids are ``<object type>:<name>``.

    Raises:
        AccessDenied: after all readable ones were yielded, naming what could not be read.
    """
    refused: AccessDenied | None = None
    for kind in OBJECT_TYPES:
        if not session.settings.is_active(kind.name):
            continue
        for archived in ("false", "true"):
            path = f"/crm/properties/{kind.version}/{kind.name}"
            try:
                response = await session.get(path, {"archived": archived})
            except AccessDenied as fault:
                if fault.whole_source:
                    raise
                refused = fault
                break
            rows = decode(response.body, Listing).results
            yield _page(rows, response.observed_at, prefix=f"{kind.name}:")
    if refused is not None:
        raise refused
    # Definitions have an archive, so none of them is judged by its absence.
    yield Page(cursor={"read_at": instant_text(request.now)})


async def _all(
    session: Session, request: ReadRequest, path: str, params: Mapping[str, str]
) -> AsyncIterator[Page]:
    """Everything at one address, and then the ids that there are."""
    ids: list[str] = []
    async for page in _pages(session, path, params):
        ids += [record.record_id for record in page.records]
        yield page
    yield _whole(request, ids)


async def _pages(session: Session, path: str, params: Mapping[str, str]) -> AsyncIterator[Page]:
    """Follow ``paging.next.after`` to the end."""
    after: str | None = None
    passed: set[str] = set()
    while True:
        asked = dict(params) if after is None else {**params, "after": after}
        response = await session.get(path, asked)
        listing = decode(response.body, Listing)
        yield _page(listing.results, response.observed_at)
        after = listing.after
        if after is None:
            return
        if after in passed or not listing.results:
            raise PaginationLoop(f"{path} does not move on from {after!r}")
        passed.add(after)


def _page(rows: Iterable[msgspec.Raw], observed_at: datetime, *, prefix: str = "") -> Page:
    records: list[Record] = []
    rejected: list[Rejected] = []
    for row in rows:
        raw = bytes(row)
        try:
            head: Any = partial(raw, _Named if prefix else _Row)
        except BadRecord as fault:
            rejected.append(Rejected(None, fault.reason, raw))
            continue
        change: Change = "archived" if head.archived else "upsert"
        record_id = prefix + (head.name if prefix else str(head.id))
        updated_at = instant(head.updatedAt)
        records.append(Record(record_id, raw, observed_at, change, updated_at))
    return Page(records=records, rejected=rejected)


def _whole(request: ReadRequest, ids: list[str]) -> Page:
    """The end of a whole reading: what is not among the ids is gone."""
    return Page(cursor={"read_at": instant_text(request.now)}, complete_ids=ids)
