"""Chargebee's API v2 as far as readers use it: lists, single objects, lines, events."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from sandbox.chargebee.state import DATED, FLAGGED, OBJECTS, UNDATED, ChargebeeState, Key
from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import RollingLimit, SandboxServer

ROOT = "/api/v2/"
OPERATORS = frozenset({"after", "before", "on", "between"})
SORTS: Mapping[str, frozenset[str]] = {
    "customers": frozenset({"created_at", "updated_at"}),
    "subscriptions": frozenset({"created_at", "updated_at"}),
    "invoices": frozenset({"date", "updated_at"}),
    "credit_notes": frozenset({"date"}),
    "transactions": frozenset({"date", "updated_at"}),
    "quotes": frozenset({"date"}),
    "orders": frozenset({"created_at", "updated_at"}),
    "items": frozenset({"name", "id", "updated_at"}),
    "item_prices": frozenset({"name", "id", "updated_at"}),
    "coupons": frozenset({"created_at"}),
    "events": frozenset({"occurred_at"}),
}
"""What each list may be sorted by; the others know no order but their own."""
CATALOGS = {"v1": ("plans", "addons"), "v2": ("item_families", "items", "item_prices")}
NOT_ENABLED = "This API operation is not enabled for this site"


class _RefusedError(Exception):
    """The answer is an error."""

    def __init__(self, status: int, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "message": message,
            "type": "invalid_request",
            "api_error_code": code,
            "http_status_code": status,
            # The twins of old clients.
            "error_code": code,
            "error_msg": message,
            "http_code": status,
        }
        if param is not None:
            self.body |= {"param": param, "error_param": param}


class ChargebeeServer(SandboxServer):
    """One site on loopback.

    ``inline_lines`` is how many lines an invoice or credit note shows before the rest must
    be asked for.
    """

    def __init__(
        self,
        state: ChargebeeState | None = None,
        *,
        per_minute: int = 150,
        retry_after: int | None = 60,
        inline_lines: int = 300,
        latency_seconds: float = 0.0,
    ) -> None:
        self.state = state or ChargebeeState()
        self.inline_lines = inline_lines
        self._retry_after = retry_after
        self._limit = RollingLimit(per_minute, 60.0)
        self._offsets: dict[str, str] = {}
        super().__init__(self._handle, latency_seconds=latency_seconds)

    def forget_offsets(self) -> None:
        """Know none of the offsets that were handed out."""
        self._offsets.clear()

    def _handle(self, request: Request) -> Reply:
        with self.lock:
            try:
                reply = self._decide(request)
            except _RefusedError as refused:
                reply = reply_json(refused.body, refused.status)
                if refused.status == 429 and self._retry_after is not None:
                    reply.headers = {"Retry-After": str(self._retry_after)}
        reply.headers = {**reply.headers, "Date": format_datetime(self.state.now, usegmt=True)}
        return reply

    def _decide(self, request: Request) -> Reply:
        key = self._key(request)
        if not self._limit.hit():
            message = "Sorry, you have exceeded the API request limit."
            raise _RefusedError(429, "api_request_limit_exceeded", message)
        if request.method != "GET":
            raise _RefusedError(405, "http_method_not_supported", "Only GET is served here.")
        if not request.path.startswith(ROOT):
            raise _RefusedError(404, "site_not_found", f"No site at {request.path}.")
        # Split before it is decoded: an id may hold a slash.
        path = request.target.partition("?")[0].removeprefix(ROOT)
        parts = [unquote(part) for part in path.split("/")]
        if parts[0] in key.forbidden:
            message = "The key may not do this."
            raise _RefusedError(403, "api_authorization_failed", message)
        if parts == ["configurations"]:
            site = {"domain": self.state.domain, "product_catalog_version": self.state.catalog}
            return reply_json({"configurations": [site]})
        self._must_be_enabled(parts[0])
        if parts == ["events"]:
            return self._events(request)
        if parts[0] in OBJECTS and len(parts) == 1:
            return self._list(request, parts[0])
        if parts[0] in OBJECTS and len(parts) == 2:
            return self._one(request, parts[0], parts[1])
        if parts[0] == "quotes" and parts[2:] == ["quote_line_groups"]:
            return self._groups(request, parts[1])
        raise _RefusedError(404, "resource_not_found", f"{request.path} not found")

    def _key(self, request: Request) -> Key:
        scheme, _, pair = request.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(pair, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        known = self.state.keys.get(user) if scheme == "Basic" and not password else None
        if known is None:
            message = "Sorry, we couldn't authenticate you with the given API key."
            raise _RefusedError(401, "api_authentication_failed", message)
        return known

    def _must_be_enabled(self, kind: str) -> None:
        foreign = {name for which, names in CATALOGS.items() for name in names
                   if which != self.state.catalog}  # fmt: skip
        if kind in foreign:
            raise _RefusedError(400, "configuration_incompatible", NOT_ENABLED)
        if kind in self.state.disabled:
            raise _RefusedError(403, "api_authorization_failed", NOT_ENABLED)

    def _list(self, request: Request, kind: str) -> Reply:
        clocks = {"updated_at"} if kind != "promotional_credits" else {"created_at"}
        if kind in DATED:
            clocks.add("date")
        elif kind not in UNDATED:
            clocks.add("created_at")
        filters = {f"{clock}[{operator}]" for clock in clocks for operator in OPERATORS}
        if kind in FLAGGED:
            filters.add("include_deleted")
        self._must_know(request, kind, filters)
        state = self.state
        shown = []
        for kept in state.objects[kind].values():
            content = kept.at(state.now - state.lag)
            if content is not None:
                shown.append((kept.place, content))
        if request.param("include_deleted", "false") != "true":
            shown = [(place, one) for place, one in shown if not one.get("deleted")]
        shown = [(place, one) for place, one in shown if _is_in(request, one, clocks)]
        own = "date" if kind in DATED else "created_at"
        return self._paged(request, kind, shown, own, lambda one: {
            OBJECTS[kind]: self._inline(kind, one, 0, self.inline_lines)
        })  # fmt: skip

    def _events(self, request: Request) -> Reply:
        filters = {f"occurred_at[{operator}]" for operator in OPERATORS} | {"event_type[is]"}
        self._must_know(request, "events", filters)
        wanted = request.param("event_type[is]")
        rows = [
            (place, event)
            for place, event in enumerate(self.state.known_events())
            if wanted in {None, event["event_type"]} and _is_in(request, event, {"occurred_at"})
        ]
        return self._paged(request, "events", rows, "occurred_at", lambda one: {"event": one})

    def _one(self, request: Request, kind: str, object_id: str) -> Reply:
        kept = self.state.objects[kind].get(object_id)
        content = None if kept is None else kept.versions[-1][1]
        if content is None:
            raise _RefusedError(404, "resource_not_found", f"{object_id} not found")
        limit = int(request.param("line_items_limit", str(self.inline_lines)) or 0)
        if not 1 <= limit <= 300:
            message = "line_items_limit must be 1 to 300"
            raise _RefusedError(400, "param_wrong_value", message, param="line_items_limit")
        start = 0
        offset = request.param("line_items_offset")
        if offset is not None:
            start = json.loads(offset)[0]
        return reply_json({OBJECTS[kind]: self._inline(kind, content, start, limit)})

    def _inline(
        self, kind: str, one: Mapping[str, Any], start: int, limit: int
    ) -> Mapping[str, Any]:
        """An object with some of its lines, and what belongs to these alone."""
        lines = one.get("line_items", [])
        if kind not in {"invoices", "credit_notes"} or (not start and len(lines) <= limit):
            return one
        some = lines[start : start + limit]
        ids = {line["id"] for line in some}
        shown = {**one, "line_items": some}
        for name in ("line_item_discounts", "line_item_taxes", "line_item_tiers"):
            if name in one:
                shown[name] = [part for part in one[name] if part["line_item_id"] in ids]
        if start + limit < len(lines):
            shown["line_items_next_offset"] = json.dumps([start + limit])
        return shown

    def _groups(self, request: Request, quote: str) -> Reply:
        if quote not in self.state.objects["quotes"]:
            raise _RefusedError(404, "resource_not_found", f"{quote} not found")
        self._must_know(request, "quote_line_groups", set())
        rows = list(enumerate(self.state.line_groups.get(quote, [])))
        return self._paged(request, "quote_line_groups", rows, "created_at",
                           lambda one: {"quote_line_group": one})  # fmt: skip

    def _must_know(self, request: Request, kind: str, filters: set[str]) -> None:
        """Refuse parameters that the list does not have."""
        for name in request.query:
            sort = re.fullmatch(r"sort_by\[(asc|desc)\]", name)
            if sort:
                value = request.param(name)
                if value not in SORTS.get(kind, frozenset()):
                    message = f"sort_by : {value} is not supported"
                    raise _RefusedError(400, "param_wrong_value", message, param="sort_by")
            elif name not in {"limit", "offset"} | filters:
                message = f"{name} : is not a parameter of {kind}"
                raise _RefusedError(400, "param_wrong_value", message, param=name)

    def _paged(
        self,
        request: Request,
        kind: str,
        rows: list[tuple[int, dict[str, Any]]],
        own: str,
        show: Callable[[dict[str, Any]], Mapping[str, Any]],
    ) -> Reply:
        """A page after a keyset of (what is sorted by, place)."""
        text = request.param("limit", "10") or ""
        limit = int(text) if text.isdecimal() else 0
        if not 1 <= limit <= 100:
            message = f"limit : {text} must be from 1 to 100"
            raise _RefusedError(400, "param_wrong_value", message, param="limit")
        ascending, descending = request.param("sort_by[asc]"), request.param("sort_by[desc]")
        if ascending and descending:
            raise _RefusedError(400, "param_wrong_value", "one sort_by alone", param="sort_by")
        by = ascending or descending or own

        def place(row: tuple[int, dict[str, Any]]) -> tuple[str, int]:
            value = row[1].get(by, 0)
            return (f"{value:013}" if isinstance(value, int) else str(value), row[0])

        rows = sorted(rows, key=place, reverse=descending is not None)
        asked = json.dumps(sorted((k, v) for k, v in request.query.items() if k != "offset"))
        offset = request.param("offset")
        if offset is not None:
            if self._offsets.get(offset) != f"{kind}{asked}":
                message = "offset : invalid value"
                raise _RefusedError(400, "param_wrong_value", message, param="offset")
            value, number = json.loads(offset)
            after = (value, int(number))
            rows = [
                row for row in rows
                if (place(row) < after if descending is not None else place(row) > after)
            ]  # fmt: skip
        body: dict[str, Any] = {"list": [show(row[1]) for row in rows[:limit]]}
        if len(rows) > limit:
            value, number = place(rows[limit - 1])
            token = json.dumps([value, str(number)])
            self._offsets[token] = f"{kind}{asked}"
            body["next_offset"] = token
        return reply_json(body)


def _is_in(request: Request, one: Mapping[str, Any], clocks: set[str]) -> bool:
    """Whether an object passes the filters; what lacks the filtered time passes none."""
    for clock in clocks:
        value = one.get(clock)
        for operator in OPERATORS:
            text = request.param(f"{clock}[{operator}]")
            if text is None:
                continue
            if value is None:
                return False
            if operator == "between":
                first, last = json.loads(text)
                is_in = int(first) <= value <= int(last)
            else:
                bound = int(text)
                is_in = {"after": value > bound, "before": value < bound}.get(
                    operator, value == bound
                )
            if not is_in:
                return False
    return True
