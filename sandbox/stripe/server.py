"""Stripe's API as far as readers use it: lists, single objects, lines, ledgers, events."""

import itertools
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import RollingLimit, SandboxServer
from sandbox.stripe.state import Key, StripeState

VERSION = "2026-06-24.dahlia"
PATHS = {
    "customers": "customers",
    "products": "products",
    "prices": "prices",
    "coupons": "coupons",
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
    "payouts": "payouts",
    "payment_records": "payment_records",
    "subscription_items": "subscription_items",
    "balance_transactions": "balance_transactions",
    "events": "events",
}
FILTERS = ("status", "customer", "invoice", "subscription", "charge", "payment_intent", "type")
CREATED = frozenset({"created[gt]", "created[gte]", "created[lt]", "created[lte]"})
COMMON = frozenset({"limit", "starting_after", "ending_before", "expand[]"})
KNOWN: Mapping[str, frozenset[str]] = {
    "customers": CREATED | {"email"},
    "products": CREATED | {"active"},
    "prices": CREATED | {"active", "product", "type"},
    "coupons": CREATED,
    "subscriptions": CREATED | {"status", "customer", "price"},
    "quotes": frozenset({"status", "customer"}),
    "invoices": CREATED | {"status", "customer", "subscription", "collection_method"},
    "invoice_payments": CREATED | {"invoice", "status", "payment[type]"},
    "invoice_items": CREATED | {"pending", "customer", "invoice"},
    "credit_notes": CREATED | {"invoice", "customer"},
    "payment_intents": CREATED | {"customer"},
    "charges": CREATED | {"customer", "payment_intent"},
    "refunds": CREATED | {"charge", "payment_intent"},
    "disputes": CREATED | {"charge", "payment_intent"},
    "payouts": CREATED | {"status"},
    "subscription_items": frozenset({"subscription"}),
    "balance_transactions": CREATED | {"type", "source", "payout", "currency"},
    "events": CREATED | {"type", "types[]"},
}
"""Parameters of each list beside the common ones; Stripe refuses any other."""
INLINE = 10
ITEMS_INLINE = 20
CHILDREN = {"invoices": "lines", "credit_notes": "lines", "quotes": "line_items"}
EXPANDED = {
    "prices": ("tiers",),
    "quotes": ("line_items",),
    "coupons": ("applies_to", "currency_options"),
}
"""Fields that an answer holds only when they are asked for."""
EXPAND_DEPTH = 4
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
    """One account on loopback.

    ``per_second`` is the account's limit, all keys together; ``per_endpoint`` that of each
    endpoint (the same where it is None).
    """

    def __init__(
        self,
        state: StripeState | None = None,
        *,
        per_second: int = 25,
        per_endpoint: int | None = None,
        latency_seconds: float = 0.0,
    ) -> None:
        self.state = state or StripeState()
        self._limit = RollingLimit(per_second, 1.0)
        self._per_endpoint = per_endpoint or per_second
        self._endpoints: dict[str, RollingLimit] = {}
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
        path = request.target.partition("?")[0]
        parts = [unquote(part) for part in path.strip("/").split("/")]
        reason = self._over(parts)
        if reason is not None:
            body = {
                "error": {
                    "type": "rate_limit_error",
                    "code": "rate_limit",
                    "message": "Request rate limit exceeded.",
                }
            }
            return reply_json(body, 429, {"Stripe-Rate-Limited-Reason": reason})
        account = request.headers.get("stripe-account")
        if account == "":
            raise _RefusedError(400, "Stripe-Account must not be empty.")
        if account is not None and account not in self.state.accounts:
            message = f"The provided key does not have access to account '{account}'."
            raise _RefusedError(403, message, "account_invalid")
        if len(parts) < 2 or parts[0] != "v1" or parts[1] not in PATHS:
            raise _RefusedError(404, f"Unrecognized request URL (GET: {request.path}).")
        kind = PATHS[parts[1]]
        if kind in key.forbidden:
            message = f"The provided key does not have the permission to read {parts[1]}."
            raise _RefusedError(403, message)
        if len(parts) == 2:
            if kind not in KNOWN:
                raise _RefusedError(404, f"Unrecognized request URL (GET: {request.path}).")
            for name in request.query:
                if name not in COMMON | KNOWN[kind]:
                    message = f"Received unknown parameter: {name}"
                    raise _RefusedError(400, message, "parameter_unknown", param=name)
            if kind == "subscription_items":
                return self._lines(request, "subscriptions", request.param("subscription") or "")
            return self._events(request) if kind == "events" else self._list(request, kind)
        if len(parts) == 3:
            return self._one(kind, parts[2], request.query.get("expand[]", []))
        if parts[3] == CHILDREN.get(kind):
            return self._lines(request, kind, parts[2])
        if kind == "customers" and parts[3] == "balance_transactions":
            entries = self.state.balances.get(parts[2], [])
            return self._paged(request, list(reversed(entries)), request.path)
        raise _RefusedError(404, f"Unrecognized request URL (GET: {request.path}).")

    def _over(self, parts: list[str]) -> str | None:
        """Which limit a request breaks: the account's or its endpoint's."""
        endpoint = "/".join([*parts[:2], "id" * (len(parts) > 2), *parts[3:]])
        limit = self._endpoints.setdefault(endpoint, RollingLimit(self._per_endpoint, 1.0))
        if not self._limit.hit():
            return "global-rate"
        return None if limit.hit() else "endpoint-rate"

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
        paid_by = request.param("payment[type]")
        if paid_by is not None:
            rows = [one for one in rows if one.get("payment", {}).get("type") == paid_by]
        rows = [one for one in rows if _in_range(request, one["created"])]
        # Newest first; what was made in one second keeps its own order.
        place = {one["id"]: number for number, one in enumerate(rows)}
        rows.sort(key=lambda one: (one["created"], place[one["id"]]), reverse=True)
        asked = request.query.get("expand[]", [])
        for name in asked:
            if name.count(".") >= EXPAND_DEPTH:
                message = "You cannot expand more than 4 levels of a property."
                raise _RefusedError(400, message, param="expand")
        expand = [name.removeprefix("data.") for name in asked]
        return self._paged(request, rows, request.path, lambda one: self._shown(kind, one, expand))

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

    def _one(self, kind: str, object_id: str, expand: list[str]) -> Reply:
        one = self.state.objects.get(kind, {}).get(object_id)
        if one is None:
            message = f"No such {kind[:-1]}: '{object_id}'"
            raise _RefusedError(404, message, "resource_missing", param="id")
        return reply_json(self._shown(kind, one, expand))

    def _shown(self, kind: str, one: Mapping[str, Any], expand: list[str]) -> dict[str, Any]:
        """An object as answers show it: the first lines inline, some fields only on demand."""
        shown = dict(one)
        lines = self.state.lines.get((kind, one["id"]))
        if lines is not None or kind == "quotes":
            name = CHILDREN.get(kind, "items")
            some = ITEMS_INLINE if name == "items" else INLINE
            rows = lines or []
            shown[name] = {
                "object": "list",
                "data": rows[:some],
                "has_more": len(rows) > some,
                "url": f"/v1/{kind}/{one['id']}/{name}",
            }
        for field in EXPANDED.get(kind, ()):
            if field not in expand:
                shown.pop(field, None)
        if kind == "subscriptions":
            _show_discounts(shown, expand)
        if kind == "invoice_payments" and "payment.payment_record" in expand:
            payment = shown.get("payment", {})
            record = self.state.objects["payment_records"].get(payment.get("payment_record"))
            shown["payment"] = {**payment, "payment_record": record}
        return shown

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


def _show_discounts(shown: dict[str, Any], expand: list[str]) -> None:
    """Discounts are ids unless they are asked for, and so are their coupons."""
    is_coupon = "discounts.source.coupon" in expand
    shown["discounts"] = [
        _discount(one, whole=is_coupon or "discounts" in expand, coupon=is_coupon)
        for one in shown.get("discounts", [])
    ]
    items = shown.get("items", {})
    whole = "items.data.discounts" in expand
    rows = [
        {**row, "discounts": [_discount(one, whole=whole) for one in row.get("discounts", [])]}
        for row in items.get("data", [])
    ]
    if items:
        shown["items"] = {**items, "data": rows}


def _discount(one: dict[str, Any], *, whole: bool, coupon: bool = False) -> Any:
    if not whole:
        return one["id"]
    source = one["source"]
    named = source["coupon"] if coupon else source["coupon"]["id"]
    return {**one, "source": {**source, "coupon": named}}


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
