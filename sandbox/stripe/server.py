"""Stripe's API as far as readers use it: lists, single objects, lines, ledgers, events."""

import itertools
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import Any

from sandbox.http import Reply, Request, RollingLimit, SandboxServer, reply_json
from sandbox.stripe.state import Key, StripeState

VERSION = "2026-06-24.dahlia"
PATHS = {
    "customers": "customers",
    "products": "products",
    "prices": "prices",
    "subscriptions": "subscriptions",
    "quotes": "quotes",
    "invoices": "invoices",
    "invoice_payments": "invoice_payments",
    "invoiceitems": "invoice_items",
    "credit_notes": "credit_notes",
    "payment_intents": "payment_intents",
    "charges": "charges",
    "refunds": "refunds",
    "disputes": "disputes",
    "balance_transactions": "balance_transactions",
    "events": "events",
}
FILTERS = ("status", "customer", "invoice", "subscription", "charge", "payment_intent", "type")
INLINE = 10
WITHOUT_CREATED = frozenset({"quotes"})
_requests = itertools.count(1)


class _RefusedError(Exception):
    """The answer is an error."""

    def __init__(self, status: int, message: str, code: str | None = None, **more: str) -> None:
        super().__init__(message)
        error: dict[str, str] = {"type": "invalid_request_error", "message": message, **more}
        if code is not None:
            error["code"] = code
        self.status = status
        self.body = {"error": error}


class StripeServer(SandboxServer):
    """One account on loopback. ``per_second`` is the account's limit, all keys together."""

    def __init__(
        self,
        state: StripeState | None = None,
        *,
        per_second: int = 25,
        latency_seconds: float = 0.0,
    ) -> None:
        self.state = state or StripeState()
        self._limit = RollingLimit(per_second, 1.0)
        super().__init__(self._handle, latency_seconds=latency_seconds)

    def _handle(self, request: Request) -> Reply:
        with self.lock:
            try:
                reply = self._decide(request)
            except _RefusedError as refused:
                reply = reply_json(refused.body, refused.status)
        version = request.headers.get("stripe-version", "2019-05-16")
        # As the vendor does: the version answered in, an id to ask support with, its clock.
        reply.headers = {
            **reply.headers,
            "Stripe-Version": version,
            "Request-Id": f"req_{next(_requests):08}",
            "Date": format_datetime(self.state.now, usegmt=True),
        }
        return reply

    def _decide(self, request: Request) -> Reply:
        key = self._key(request)
        if not self._limit.hit():
            body = {
                "error": {
                    "type": "rate_limit_error",
                    "code": "rate_limit",
                    "message": "Request rate limit exceeded.",
                }
            }
            return reply_json(body, 429, {"Stripe-Rate-Limited-Reason": "global-rate"})
        if request.headers.get("stripe-account") == "":
            raise _RefusedError(400, "Stripe-Account must not be empty.")
        parts = request.path.strip("/").split("/")
        if len(parts) < 2 or parts[0] != "v1" or parts[1] not in PATHS:
            raise _RefusedError(404, f"Unrecognized request URL (GET: {request.path}).")
        kind = PATHS[parts[1]]
        if kind in key.forbidden:
            message = f"The provided key does not have the permission to read {parts[1]}."
            raise _RefusedError(403, message)
        if len(parts) == 2:
            return self._events(request) if kind == "events" else self._list(request, kind)
        if len(parts) == 3:
            return self._one(kind, parts[2])
        if parts[3] == "lines":
            return self._lines(request, kind, parts[2])
        if kind == "customers" and parts[3] == "balance_transactions":
            entries = self.state.balances.get(parts[2], [])
            return self._paged(request, list(reversed(entries)), request.path)
        raise _RefusedError(404, f"Unrecognized request URL (GET: {request.path}).")

    def _key(self, request: Request) -> Key:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = self.state.keys.get(token) if scheme == "Bearer" else None
        if known is None:
            raise _RefusedError(401, f"Invalid API Key provided: {token[:7]}****")
        return known

    def _list(self, request: Request, kind: str) -> Reply:
        rows = [one for one in self.state.objects[kind].values() if not one.get("test_clock")]
        if kind == "subscriptions" and request.param("status") is None:
            rows = [one for one in rows if one.get("status") != "canceled"]
        for name in FILTERS:
            wanted = request.param(name)
            if wanted is not None and not (kind == "subscriptions" and wanted == "all"):
                rows = [one for one in rows if one.get(name) == wanted]
        if kind not in WITHOUT_CREATED:
            rows = [one for one in rows if _in_range(request, one["created"])]
        # Newest first; what was made in one second keeps its own order.
        place = {one["id"]: number for number, one in enumerate(rows)}
        rows.sort(key=lambda one: (one["created"], place[one["id"]]), reverse=True)
        return self._paged(request, rows, request.path, lambda one: self._shown(kind, one))

    def _events(self, request: Request) -> Reply:
        types = request.query.get("types[]", [])
        if len(types) > 20:
            raise _RefusedError(400, "You may pass up to 20 types.", param="types")
        if request.param("type") is not None and types:
            raise _RefusedError(400, "You may only pass one of type and types.")
        rows = [
            event for event in self.state.known_events() if _in_range(request, event["created"])
        ]
        if types:
            rows = [event for event in rows if event["type"] in types]
        return self._paged(request, rows, request.path)

    def _one(self, kind: str, object_id: str) -> Reply:
        one = self.state.objects.get(kind, {}).get(object_id)
        if one is None:
            message = f"No such {kind[:-1]}: '{object_id}'"
            raise _RefusedError(404, message, "resource_missing", param="id")
        return reply_json(self._shown(kind, one))

    def _shown(self, kind: str, one: Mapping[str, Any]) -> dict[str, Any]:
        """An object as answers show it: the first ten lines inline."""
        lines = self.state.lines.get((kind, one["id"]))
        if lines is None:
            return dict(one)
        url = f"/v1/{kind}/{one['id']}/lines"
        inline = {"object": "list", "data": lines[:INLINE], "has_more": len(lines) > INLINE}
        return {**one, "lines": {**inline, "url": url}}

    def _lines(self, request: Request, kind: str, parent: str) -> Reply:
        one = self.state.objects.get(kind, {}).get(parent)
        if one is None:
            raise _RefusedError(404, f"No such {kind[:-1]}: '{parent}'", "resource_missing")
        lines = self.state.lines.get((kind, parent))
        rows = list(one.get("lines", {}).get("data", [])) if lines is None else lines
        return self._paged(request, rows, request.path)

    def _paged(
        self,
        request: Request,
        rows: list[dict[str, Any]],
        url: str,
        show: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> Reply:
        text = request.param("limit", "10") or "10"
        limit = int(text) if text.isdecimal() else 0
        if not 1 <= limit <= 100:
            raise _RefusedError(400, f"Invalid limit: {text}; it must be 1 to 100.", param="limit")
        after = request.param("starting_after")
        if after is not None and request.param("ending_before") is not None:
            raise _RefusedError(400, "Use one of starting_after and ending_before.")
        start = 0
        if after is not None:
            places = [number for number, one in enumerate(rows) if one["id"] == after]
            if not places:
                message = f"No such object: '{after}'"
                raise _RefusedError(400, message, "resource_missing", param="starting_after")
            start = places[0] + 1
        chosen = rows[start : start + limit]
        shown = chosen if show is None else [show(one) for one in chosen]
        body = {"object": "list", "url": url, "has_more": len(rows) > start + limit, "data": shown}
        return reply_json(body)


def _in_range(request: Request, created: int) -> bool:
    tests: tuple[tuple[str, Callable[[int, int], bool]], ...] = (
        ("created[gt]", lambda a, b: a > b),
        ("created[gte]", lambda a, b: a >= b),
        ("created[lt]", lambda a, b: a < b),
        ("created[lte]", lambda a, b: a <= b),
    )
    for name, test in tests:
        value = request.param(name)
        if value is not None and not test(created, int(value)):
            return False
    return True
