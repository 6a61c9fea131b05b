"""Xero's identity server and accounting API, as far as pipeledger uses them.

Refuses what Xero refuses: a token that is over, a scope that is not granted, an organisation
that is not connected, too many calls, page sizes and orders that it does not know. Answers XML
to whoever does not ask for JSON, summaries without lines where no page is asked for, and unit
prices of two decimals unless asked for four.
"""

import base64
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import msgspec

from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import RollingLimit, SandboxServer
from sandbox.xero.state import CLIENT_ID, CLIENT_SECRET, IDS, Object, XeroState, json_date

API = "/api.xro/2.0/"
PAGED = {"Invoices", "CreditNotes", "Payments", "Overpayments", "Prepayments", "Contacts"}
CONDITIONAL = PAGED | {"Quotes", "Items", "Accounts", "BatchPayments"}
"""Lists that know If-Modified-Since."""
SCOPES = {
    "Invoices": "invoices",
    "CreditNotes": "invoices",
    "Quotes": "invoices",
    "Items": "invoices",
    "Payments": "payments",
    "BatchPayments": "payments",
    "Overpayments": "payments",
    "Prepayments": "payments",
    "Contacts": "contacts",
    "ContactGroups": "contacts",
}
QUOTES_A_PAGE = 100
LARGEST_PAGE = 1_000
_encode = msgspec.json.Encoder(decimal_format="number").encode


class _RefusedError(Exception):
    """An answer other than 200."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _problem(status: int, title: str, detail: str) -> _RefusedError:
    body: Object = {
        "Type": None, "Title": title, "Status": status, "Detail": detail,
        "Instance": str(uuid.UUID(int=status)), "Extensions": {},
    }  # fmt: skip
    return _RefusedError(reply_json(body, status))


def _exception(number: int, kind: str, message: str) -> _RefusedError:
    return _RefusedError(
        reply_json({"ErrorNumber": number, "Type": kind, "Message": message, "Elements": []}, 400)
    )


class XeroServer(SandboxServer):
    """Serves one state; ``precision`` is how finely If-Modified-Since is read."""

    def __init__(
        self,
        state: XeroState,
        *,
        per_minute: int = 60,
        per_day: int = 5_000,
        precision: timedelta = timedelta(seconds=1),
        is_inclusive: bool = True,
        counts_pages: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(self._handle)
        self.state = state
        self.per_day = per_day
        self.used = 0
        self.precision = precision
        self.is_inclusive = is_inclusive
        self.counts_pages = counts_pages
        self.minute = RollingLimit(per_minute, 60.0, clock)

    def _handle(self, request: Request) -> Reply:
        try:
            reply = self._decide(request)
        except _RefusedError as refused:
            reply = refused.reply
        reply.headers = {
            "Date": format_datetime(self.state.now, usegmt=True),
            **reply.headers,
        }
        return reply

    def _decide(self, request: Request) -> Reply:
        if request.path == "/connect/token" and request.method == "POST":
            return self._token(request)
        scopes = self._scopes(request)
        if request.path == "/connections":
            return reply_json(
                [
                    {
                        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, id_)),
                        "authEventId": str(uuid.UUID(int=7)),
                        "tenantId": id_,
                        "tenantType": "PRACTICE" if name.startswith("Practice") else "ORGANISATION",
                        "tenantName": name,
                        "createdDateUtc": "2026-01-02T03:04:05.6780000",
                        "updatedDateUtc": "2026-01-02T03:04:05.6780000",
                    }
                    for id_, name in self.state.tenants.items()
                ]
            )
        if not request.path.startswith(API):
            return Reply(404, b"The resource you're looking for cannot be found", "text/plain")
        name = request.path.removeprefix(API)
        name = {"Organisation": "Organisations"}.get(name, name)
        tenant = request.headers.get("xero-tenant-id", "")
        if tenant not in self.state.tenants:
            raise _problem(403, "Forbidden", "AuthenticationUnsuccessful")
        headers = self._limits()
        if name not in IDS:
            return Reply(404, b"The resource you're looking for cannot be found", "text/html")
        family = SCOPES.get(name, "settings")
        if not {f"accounting.{family}.read", f"accounting.{family}"} & scopes:
            raise _problem(401, "Unauthorized", "AuthorizationUnsuccessful")
        if "json" not in request.headers.get("accept", ""):
            return Reply(200, b"<Response/>", "text/xml; charset=utf-8", headers)
        reply = self._list(request, name, tenant)
        reply.headers = headers
        return reply

    def _limits(self) -> dict[str, str]:
        """Count a call; its headers.

        Raises:
            _RefusedError: it is one too many of the minute or the day.
        """
        if self.used >= self.per_day:
            headers = {"X-Rate-Limit-Problem": "day", "Retry-After": "43200"}
            raise _RefusedError(Reply(429, b"", headers=headers))
        if not self.minute.hit():
            headers = {"X-Rate-Limit-Problem": "minute", "Retry-After": "1"}
            raise _RefusedError(Reply(429, b"", headers=headers))
        self.used += 1
        return {
            "X-MinLimit-Remaining": str(self.minute.remaining),
            "X-DayLimit-Remaining": str(self.per_day - self.used),
            "X-AppMinLimit-Remaining": "9999",
        }

    # Sign-in.

    def _token(self, request: Request) -> Reply:
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return reply_json({"error": "invalid_client"}, 400)
        form = request.form()
        state = self.state
        answer: dict[str, Any] = {"expires_in": 1800, "token_type": "Bearer"}
        if form.get("grant_type") == "refresh_token":
            made = state.exchange(form.get("refresh_token", ""))
            if made is None:
                return reply_json({"error": "invalid_grant"}, 400)
            answer |= {"access_token": made[0], "refresh_token": made[1]}
            answer["scope"] = " ".join(state.scopes)
            return reply_json(answer)
        if form.get("grant_type") == "client_credentials":
            asked = form.get("scope", "").split()
            if not set(asked) <= set(state.scopes):
                return reply_json({"error": "invalid_scope"}, 400)
            answer |= {"access_token": state.grant_access(asked), "scope": " ".join(asked)}
            return reply_json(answer)
        return reply_json({"error": "unsupported_grant_type"}, 400)

    def _scopes(self, request: Request) -> set[str]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        ends = self.state.access.get(token) if scheme == "Bearer" else None
        if ends is None:
            raise _problem(401, "Unauthorized", "AuthenticationUnsuccessful")
        if ends <= self.state.now:
            when = ends.strftime("%m/%d/%Y %H:%M:%S")
            raise _problem(401, "Unauthorized", f"TokenExpired: token expired at {when}")
        claims = token.split(".")[1]
        return set(json.loads(base64.urlsafe_b64decode(claims + "=="))["scope"])

    # Lists.

    def _list(self, request: Request, name: str, tenant: str) -> Reply:
        state = self.state
        rows = list(state.table(name, tenant).items())
        since = request.headers.get("if-modified-since")
        if since is not None and name in CONDITIONAL:
            low = self._instant(since)
            rows = [row for row in rows if self._is_since(state.changed[name, row[0]], low)]
        if (
            name in {"Contacts", "TrackingCategories"}
            and request.param("includeArchived") != "true"
        ):
            field = "ContactStatus" if name == "Contacts" else "Status"
            rows = [row for row in rows if row[1].get(field) != "ARCHIVED"]
        order = request.param("order")
        if order is not None:
            column, _, way = order.partition(" ")
            if column != "UpdatedDateUTC" or way not in {"", "ASC", "DESC"}:
                raise _exception(16, "QueryParseException", f"No property {column!r} exists")
            rows.sort(key=lambda row: state.changed[name, row[0]], reverse=way == "DESC")
        places = 4 if request.param("unitdp") == "4" else 2
        answer: dict[str, Any] = {
            "Id": str(uuid.UUID(int=len(self.requests))),
            "Status": "OK",
            "ProviderName": "sandbox",
            "DateTimeUTC": json_date(state.now),
        }
        page = request.param("page")
        is_summary = name in PAGED | {"Quotes"} and page is None
        if page is not None and name in PAGED | {"Quotes"}:
            number = self._number("page", page, 1, 1_000_000)
            size = QUOTES_A_PAGE
            if name in PAGED:
                asked = request.param("pageSize") or "100"
                size = self._number("pageSize", asked, 1, LARGEST_PAGE)
                if self.counts_pages:
                    answer["pagination"] = {
                        "page": number,
                        "pageSize": size,
                        "pageCount": -(-len(rows) // size),
                        "itemCount": len(rows),
                    }
            rows = rows[(number - 1) * size : number * size]
        answer[name] = [
            self._shown(name, id_, one, places, is_summary=is_summary) for id_, one in rows
        ]
        return Reply(body=_encode(answer), content_type="application/json; charset=utf-8")

    def _shown(self, name: str, id_: str, one: Object, places: int, *, is_summary: bool) -> Object:
        shown = {**one}
        if name in CONDITIONAL:
            shown["UpdatedDateUTC"] = json_date(self.state.changed[name, id_])
        if is_summary and "LineItems" in shown:
            shown["LineItems"] = []
        if places < 4 and shown.get("LineItems"):
            cent = Decimal("0.01")
            shown["LineItems"] = [
                {**line, "UnitAmount": Decimal(line["UnitAmount"]).quantize(cent)}
                for line in shown["LineItems"]
            ]
        return shown

    def _instant(self, text: str) -> datetime:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            body = b"The If-Modified-Since header is not a valid date"
            raise _RefusedError(Reply(412, body, "text/plain")) from None
        found = found.replace(tzinfo=found.tzinfo or UTC)
        seconds = self.precision.total_seconds()
        return datetime.fromtimestamp(found.timestamp() // seconds * seconds, UTC)

    def _is_since(self, changed: datetime, low: datetime) -> bool:
        if self.is_inclusive:
            return changed >= low
        return changed.replace(microsecond=0) > low

    def _number(self, name: str, text: str, least: int, most: int) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise _exception(10, "ValidationException", f"{name} must be {least} to {most}")
        return int(text)
