"""QuickBooks' token endpoint and Accounting API on loopback, with its rules."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sandbox.exchange import Reply, Request, Router
from sandbox.http import RollingLimit, SandboxServer, http_date
from sandbox.quickbooks.query import QueryError, run
from sandbox.quickbooks.state import (
    CLIENT_ID,
    CLIENT_SECRET,
    NAME_LISTS,
    REALM,
    TRANSACTIONS,
    WITHOUT_CDC,
    QuickbooksState,
    stamp,
)

CDC_CAP = 1000
CDC_DAYS = 30
BATCH_ITEMS = 30
_encode = msgspec.json.Encoder(decimal_format="number").encode


def fault(
    status: int, code: str, message: str, detail: str = "", kind: str = "ValidationFault"
) -> Reply:
    """A fault as business errors show it."""
    error = {"Message": message, "Detail": detail, "code": code, "element": ""}
    return answer({"Fault": {"Error": [error], "type": kind}, "time": "now"}, status)


def answer(content: Any, status: int = 200) -> Reply:
    """JSON with amounts as numbers."""
    return Reply(status, _encode(content))


def expired() -> Reply:
    """A refused token: lower-case names, unlike all other faults."""
    error = {
        "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        "detail": "Token expired: access",
        "code": "3200",
        "element": None,
    }
    content = {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": "AUTHENTICATION"},
        "report": None,
        "requestId": None,
        "time": 1763871999000,
    }
    return answer(content, 401)


def throttled() -> Reply:
    """What a request too many gets."""
    words = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
    return fault(429, "3001", words, "The request limit was reached. Try again later", "SERVICE")


class QuickbooksServer(SandboxServer):
    """One company on loopback."""

    def __init__(
        self,
        state: QuickbooksState | None = None,
        *,
        per_minute: int = 500,
        latency_seconds: float = 0.0,
    ) -> None:
        self.state = state or QuickbooksState()
        self._limit = RollingLimit(per_minute, 60.0)
        self._routes = (
            Router(lambda _: fault(404, "", "Not found"))
            .post("/oauth2/v1/tokens/bearer", self._token)
            .get("/v3/company/{realm}/query", self._query)
            .get("/v3/company/{realm}/cdc", self._cdc)
            .post("/v3/company/{realm}/batch", self._batch)
        )
        super().__init__(self._handle, latency_seconds=latency_seconds)

    @property
    def statements(self) -> list[str]:
        """Every statement that was asked."""
        return [one.param("query") or "" for one in self.requests if one.path.endswith("/query")]

    def _handle(self, request: Request) -> Reply:
        reply = self._guarded(request)
        tid = {"intuit_tid": "1-69238a00-sandbox", "Date": http_date(self.state.now)}
        reply.headers = {**tid, **reply.headers}
        return reply

    def _guarded(self, request: Request) -> Reply:
        if not request.path.startswith("/v3/"):
            return self._routes(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.state.is_open(token):
            return expired()
        if not request.path.startswith(f"/v3/company/{REALM}/"):
            return fault(403, "3100", "message=ApplicationAuthorizationFailed; errorCode=003100")
        if "application/json" not in request.headers.get("accept", ""):
            return Reply(200, b"<IntuitResponse/>", "application/xml")
        if not self._limit.hit():
            return throttled()
        return self._routes(request)

    def _token(self, request: Request) -> Reply:
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return answer({"error": "invalid_client"}, 401)
        form = request.form()
        granted = None
        if form.get("grant_type") == "refresh_token":
            granted = self.state.refresh(form.get("refresh_token", ""))
        if granted is None:
            words = "Incorrect or invalid refresh token"
            return answer({"error": "invalid_grant", "error_description": words}, 400)
        return answer(granted)

    def _query(self, request: Request) -> Reply:
        statement = request.param("query") or ""
        content = self._run(statement)
        if isinstance(content, Reply):
            return content
        return answer({"QueryResponse": content, "time": self._time()})

    def _run(self, statement: str) -> Mapping[str, Any] | Reply:
        for entity, (status, code, message) in self.state.refused.items():
            if f" {entity.lower()} " in f" {statement.lower()} ":
                return fault(status, code, message)
        try:
            return run(self.state, statement)
        except QueryError as refused:
            return fault(400, refused.code, refused.message, refused.detail)

    def _batch(self, request: Request) -> Reply:
        items = request.json()["BatchItemRequest"]
        if len(items) > BATCH_ITEMS:
            return fault(400, "1040", "Too many items in the batch")
        replies: list[dict[str, Any]] = []
        for item in items:
            content = self._run(item["Query"])
            if isinstance(content, Reply):
                told = msgspec.json.decode(content.body)["Fault"]
                replies.append({"bId": item["bId"], "Fault": told})
            else:
                replies.append({"bId": item["bId"], "QueryResponse": content})
        return answer({"BatchItemResponse": replies, "time": self._time()})

    def _cdc(self, request: Request) -> Reply:
        names = (request.param("entities") or "").split(",")
        unknown = set(names) - (NAME_LISTS | TRANSACTIONS) | (set(names) & WITHOUT_CDC)
        if unknown:
            return fault(400, "4001", f"no change data capture of {sorted(unknown)}")
        since = datetime.fromisoformat(request.param("changedSince") or "")
        if self.state.now - since > timedelta(days=CDC_DAYS):
            return fault(400, "4002", "changedSince lies more than 30 days back")
        parts: list[dict[str, Any]] = []
        room = CDC_CAP
        for name in names:
            rows = self.state.changed(name, since)[:room]
            room -= len(rows)
            shown = {name: rows, "startPosition": 1, "maxResults": len(rows)}
            parts.append(shown if rows else {})
        return answer({"CDCResponse": [{"QueryResponse": parts}], "time": self._time()})

    def _time(self) -> str:
        return stamp(self.state.now).replace("-08:00", ".123-08:00")
