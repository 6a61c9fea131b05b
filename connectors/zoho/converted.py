"""Converted leads: they leave the list of leads without being deleted.

A list shows them when asked for them, with the account, contact and deal that they became.
Its pages go by token; a token ends after 100,000 records, and then the list is asked anew
from the last second seen.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.base.errors import PaginationLoop
from connectors.base.stream import Page, ReadRequest
from connectors.base.window import cursor_instant, instant_text
from connectors.zoho.modules import Module
from connectors.zoho.records import Row, joined, landed, literal, read_rows
from connectors.zoho.refusals import RefusedError
from connectors.zoho.session import LIST_FIELDS, MARKS, PER_PAGE, Rows, Session

FIRST_FIELDS = (
    "Converted__s", "Converted_Date_Time", "Converted_Account", "Converted_Contact",
    "Converted_Deal", "Created_Time", "Created_By", "Owner", "Lead_Status", "Lead_Source",
    "First_Name", "Last_Name", "Full_Name", "Company", "Email", "Phone", "Website",
)  # fmt: skip
"""What the marts read; a list shows 50 fields at most, the others are asked for by id."""
IDS_IN_A_LIST = 100
TOKEN_ENDS = frozenset(
    {"PAGINATION_LIMIT_EXCEEDED", "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "EXPIRED_VALUE"}
)
ONE_SECOND = timedelta(seconds=1)


class Converted:
    """Reads the converted leads that changed; ``ids`` are all that are known to be."""

    def __init__(
        self, session: Session, module: Module, request: ReadRequest, mark: dict[str, Any]
    ) -> None:
        """``mark`` is the cursor under way; its ``converted_since`` is ours."""
        self._session = session
        self._module = module
        self._request = request
        self._mark = mark
        self.ids: set[str] = set()

    async def pages(self) -> AsyncIterator[Page]:
        """Yield converted leads, oldest change first; each page is a resume point."""
        self.ids = set(self._request.live_ids()) - set(self._request.listed_ids())
        first, *others = await self._chunks()
        lookback = timedelta(minutes=self._session.settings.lookback_minutes)
        reached = cursor_instant(self._mark, "converted_since", self._request.now)
        since = None if reached is None else reached - lookback
        token: str | None = None
        while True:
            try:
                page = await self._page(first, token, since)
            except RefusedError as fault:
                stuck = reached is None or (since is not None and reached <= since)
                if fault.code not in TOKEN_ENDS or token is None or stuck:
                    raise
                token, since = None, reached
                continue
            rows, rejected = read_rows(page.rows)
            whole = await self._whole(rows, others)
            records, bad = landed(whole, page.observed_at, "converted")
            self.ids |= {row.id for row in rows}
            seen = [row.at for row in rows if row.at is not None]
            if seen and (reached is None or max(seen) > reached):
                reached = max(seen)
                self._mark["converted_since"] = instant_text(reached)
            yield Page(records, dict(self._mark), rejected=[*rejected, *bad])
            if not page.more:
                return
            if not page.token or page.token == token or not rows:
                raise PaginationLoop(
                    f"the list of converted {self._module.name} promises more and does not move on"
                )
            token = page.token

    async def _page(self, fields: Sequence[str], token: str | None, since: datetime | None) -> Rows:
        params = {
            "fields": ",".join(fields),
            "converted": "true",
            "sort_by": "Modified_Time",
            "sort_order": "asc",
            "per_page": str(PER_PAGE),
        }
        if token is not None:
            params["page_token"] = token
        # Nobody says whether the bound itself is shown: a second less is right either way.
        header = None if since is None else literal(since - ONE_SECOND)
        return await self._session.get(self._module.name, "data", params, since=header)

    async def _chunks(self) -> list[list[str]]:
        names = await self._session.readable(self._module)
        ahead = [name for name in FIRST_FIELDS if name in names]
        own = [*ahead, *(name for name in names if name not in {*MARKS, *ahead})]
        size = LIST_FIELDS - len(MARKS)
        chunks = [own[start : start + size] for start in range(0, len(own), size)] or [[]]
        return [[*MARKS, *chunk] for chunk in chunks]

    async def _whole(self, rows: Sequence[Row], others: Sequence[Sequence[str]]) -> list[Row]:
        """The rows with the fields of the further chunks.

        One that was edited between them is met again by its new second.
        """
        parts: list[list[Row]] = [list(rows)]
        for fields in others:
            part: list[Row] = []
            for start in range(0, len(rows), IDS_IN_A_LIST):
                ids = [row.id for row in rows[start : start + IDS_IN_A_LIST]]
                params = {
                    "fields": ",".join(fields),
                    "converted": "true",
                    "ids": ",".join(ids),
                    "per_page": str(PER_PAGE),
                }
                page = await self._session.get(self._module.name, "data", params)
                part += read_rows(page.rows)[0]
            parts.append(part)
        return joined(parts)
