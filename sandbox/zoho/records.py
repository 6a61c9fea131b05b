"""Records, asked for by query, list, id and relation."""

import itertools
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sandbox.exchange import Reply, Request
from sandbox.zoho.answers import RefusedError, answer, paged, size_of
from sandbox.zoho.coql import CoqlError, comparable, parse
from sandbox.zoho.schema import LINES, REFUSED_IN_QUERIES
from sandbox.zoho.state import Entry, Row, ZohoState

REACH_BY_PAGE = 2_000
LIST_FIELDS = 50
LINES_SHOWN = 200


class Records:
    """The part of the API that shows records.

    ``token_reach`` is how many records a chain of page tokens shows, ``deleted_reach`` how
    many the list of deleted ones does. ``queries_show_converted`` False hides converted
    leads from queries.
    """

    def __init__(
        self, state: ZohoState, charge: Callable[[int], None], known: Callable[[str], None]
    ) -> None:
        self.state = state
        self.token_reach = 100_000
        self.deleted_reach = REACH_BY_PAGE
        self.queries_show_converted = False
        self.queries: list[str] = []
        self._charge = charge
        self._known = known
        self._numbers = itertools.count(1)
        self._page_tokens: dict[str, tuple[dict[str, str], int]] = {}

    def coql(self, request: Request) -> Reply:
        """Answer a query."""
        text = request.json().get("select_query", "")
        self.queries.append(text)
        query = parse(text)
        self._charge(1 if query.limit <= 200 else 2 if query.limit <= 1_000 else 3)
        if not self.state.is_known(query.module):
            raise CoqlError("INVALID_QUERY", "invalid module", module=query.module)
        self._known(query.module)
        fields = self.state.fields(query.module)
        for name in (*query.fields, *query.used):
            if (
                name not in fields
                or fields[name] in REFUSED_IN_QUERIES
                or (name in self.state.unqueryable)
            ):
                raise CoqlError("INVALID_QUERY", "invalid column", column_name=name)
        converted = "both" if self.queries_show_converted else "false"
        found = [
            entry.row
            for entry in self.state.visible(query.module, converted=converted)
            if query.matches(entry.row)
        ]
        for name, rises in reversed(query.order):
            found.sort(key=partial(_sorted_by, name), reverse=not rises)
        page = found[query.offset : query.offset + query.limit]
        if not page:
            return Reply(status=204)
        shown = [
            {name: _bare(row.get(name)) for name in dict.fromkeys(("id", *query.fields))}
            for row in page
        ]
        more = query.offset + len(page) < len(found)
        return answer({"data": shown, "info": {"count": len(page), "more_records": more}})

    def listed(self, request: Request) -> Reply:
        """A module's list, by page or by token."""
        asked = {name: values[0] for name, values in request.query.items()}
        module = request.values["module"]
        if not asked.get("fields"):
            message = "One of the expected parameter is missing"
            raise RefusedError("REQUIRED_PARAM_MISSING", message, param_name="fields")
        names = asked["fields"].split(",")
        if len(names) > LIST_FIELDS:
            raise RefusedError("LIMIT_EXCEEDED", "more fields", param_name="fields", limit=50)
        sort = asked.get("sort_by", "id")
        if sort not in {"id", "Created_Time", "Modified_Time"}:
            raise RefusedError("INVALID_DATA", "invalid sort", param_name="sort_by")
        rows = [
            entry.row
            for entry in self.state.visible(module, converted=asked.get("converted", "false"))
        ]
        if "ids" in asked:
            wanted = set(asked["ids"].split(","))
            rows = [row for row in rows if row["id"] in wanted]
        since = request.headers.get("if-modified-since")
        if since is not None:
            floor = _moment(since)
            rows = [row for row in rows if _moment(row["Modified_Time"]) >= floor]
            if not rows:
                return Reply(status=304)
        rises = asked.get("sort_order", "desc") == "asc"
        rows.sort(key=lambda row: (_rank(row.get(sort)), int(row["id"])), reverse=not rises)
        return self._tokened(asked, rows, names, sort)

    def _tokened(
        self, asked: dict[str, str], rows: list[Row], names: list[str], sort: str
    ) -> Reply:
        size = size_of(asked.get("per_page"))
        bound = {name: value for name, value in asked.items() if name not in {"page", "page_token"}}
        start = 0
        if "page_token" in asked:
            if "page" in asked:
                raise RefusedError("AMBIGUITY_DURING_PROCESSING", "page and page_token")
            if asked["page_token"] not in self._page_tokens:
                raise RefusedError("EXPIRED_VALUE", "expired", api_name="page_token")
            told, start = self._page_tokens[asked["page_token"]]
            if told != bound:
                message = "the request does not match its token"
                raise RefusedError("TOKEN_BOUND_DATA_MISMATCH", message, param_name="page_token")
            if start >= self.token_reach:
                message = "pagination limit exceeded"
                raise RefusedError("PAGINATION_LIMIT_EXCEEDED", message, param_name="page_token")
        elif "page" in asked:
            start = (int(asked["page"]) - 1) * size
            if start + size > REACH_BY_PAGE:
                raise RefusedError(
                    "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "use page_token", limit=REACH_BY_PAGE
                )
        page = rows[start : start + size]
        if not page:
            return Reply(status=204)
        more = start + size < len(rows)
        token = f"token-{next(self._numbers):06d}" if more else None
        if token is not None:
            self._page_tokens[token] = (bound, start + size)
        info = {
            "per_page": size,
            "count": len(page),
            "page": start // size + 1,
            "sort_by": sort,
            "sort_order": asked.get("sort_order", "desc"),
            "more_records": more,
            "next_page_token": token,
            "previous_page_token": None,
            "page_token_expiry": self.state.text(self.state.now + timedelta(days=1))
            if more
            else None,
        }
        shown = [{"id": row["id"], **{name: row.get(name) for name in names}} for row in page]
        return answer({"data": shown, "info": info})

    def one(self, request: Request) -> Reply:
        """One record, its lines among it."""
        module = request.values["module"]
        entry = self._entry(request)
        if entry.is_closed:
            raise RefusedError("NO_PERMISSION", "Permission denied", 403, permissions=["view"])
        row: Row = {
            **entry.row,
            "$editable": True,
            "$converted": entry.is_converted,
            "$in_merge": False,
            "$locked_for_me": False,
        }
        if module in LINES:
            row[LINES[module]] = [
                {"Sequence_Number": number, **line}
                for number, line in enumerate(entry.lines[:LINES_SHOWN], 1)
            ]
            row["$has_more"] = {LINES[module]: len(entry.lines) > LINES_SHOWN}
        return answer({"data": [row]})

    def _entry(self, request: Request) -> Entry:
        found = self.state.records.get(request.values["module"], {}).get(request.values["id"])
        if found is None or found.deleted:
            raise RefusedError("INVALID_DATA", "the id given seems to be invalid")
        return found

    def deleted(self, request: Request) -> Reply:
        """The list of deleted records, newest first."""
        kind = request.param("type", "all")
        if kind not in {"all", "recycle", "permanent"}:
            message = "pattern not matched"
            raise RefusedError("PATTERN_NOT_MATCHED", message, wrapped=True, param_name="type")
        since = request.headers.get("if-modified-since")
        found = [
            entry
            for entry in self.state.records.get(request.values["module"], {}).values()
            if entry.deleted and kind in {"all", entry.deleted}
        ]
        if since is not None:
            floor = _moment(since)
            found = [one for one in found if one.deleted_at is not None and one.deleted_at >= floor]
        found.sort(key=lambda one: (one.deleted_at or self.state.now, one.number), reverse=True)
        page = int(request.param("page", "1") or 1)
        if page * size_of(request.param("per_page")) > self.deleted_reach:
            raise RefusedError(
                "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "limit exceeded", limit=self.deleted_reach
            )
        shown = []
        for one in found:
            in_bin = one.deleted == "recycle"
            shown.append(
                {
                    "id": one.id,
                    "type": one.deleted,
                    "display_name": "Deleted" if in_bin else None,
                    "deleted_by": self.state.person(self.state.me) if in_bin else None,
                    "created_by": one.row["Created_By"] if in_bin else None,
                    "deleted_time": self.state.text(one.deleted_at or self.state.now),
                }
            )
        return paged("data", request, shown)

    def related(self, request: Request) -> Reply:
        """A related list of one record."""
        related, entry = request.values["related"], self._entry(request)
        if not request.param("fields"):
            message = "One of the expected parameter is missing"
            raise RefusedError("REQUIRED_PARAM_MISSING", message, param_name="fields")
        if related == LINES.get(request.values["module"]):
            rows: list[Row] = [
                {"Sequence_Number": number, **line} for number, line in enumerate(entry.lines, 1)
            ]
        elif related == "Stage_History":
            rows = list(reversed(self.state.stays.get(entry.id, [])))
        elif related == "Contact_Roles":
            return paged("data", request, self.state.roles_of_deal.get(entry.id, []))
        else:
            raise RefusedError("INVALID_DATA", "the relation name given seems to be invalid")
        names = [*(request.param("fields") or "").split(","), "id"]
        shown = [{name: row.get(name) for name in names if name in row} for row in rows]
        return paged("data", request, shown)

    def emails(self, request: Request) -> Reply:
        """The e-mails of a deal, without their text."""
        found = self.state.emails.get(request.values["id"], [])
        start = int(request.param("index", "0") or 0)
        page = found[start : start + 10]
        if not page:
            return Reply(status=204)
        more = start + 10 < len(found)
        info = {
            "count": len(page),
            "per_page": 10,
            "more_records": more,
            "next_index": str(start + 10) if more else None,
            "prev_index": None,
        }
        return answer({"Emails": page, "info": info})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _rank(value: Any) -> tuple[bool, Any]:
    own = comparable(value)
    return own is not None, own if own is not None else 0


def _bare(value: Any) -> Any:
    """A query shows of a lookup its id alone."""
    return {"id": value["id"]} if isinstance(value, Mapping) and "id" in value else value


def _sorted_by(name: str, row: Row) -> tuple[bool, Any]:
    return _rank(row.get(name))
