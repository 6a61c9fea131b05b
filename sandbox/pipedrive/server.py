"""Pipedrive's v1 and v2 on loopback, with its token budget and its page rules."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from sandbox.exchange import App, Reply, Request, Router, reply_json
from sandbox.http import RollingLimit, SandboxServer
from sandbox.pipedrive.grammar import complaint, cost_of
from sandbox.pipedrive.state import API_TOKEN, V2_KINDS, PipedriveState

CLIENT = base64.b64encode(b"app:app-secret").decode()
V1_SMALL = {
    "users": "users", "currencies": "currencies", "activityTypes": "activity_types",
    "leadLabels": "lead_labels", "leadSources": "lead_sources", "legacyTeams": "teams",
    "permissionSets": "permission_sets",
}  # fmt: skip


class RefusalError(Exception):
    """A refusal with its status."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class PipedriveServer(SandboxServer):
    """One company on loopback."""

    def __init__(self, state: PipedriveState | None = None, *, burst: int = 10_000) -> None:
        self.state = state or PipedriveState()
        self.burst = RollingLimit(burst, 2.0)
        self.refused: set[str] = set()
        """Parts of paths for which the credential lacks the scope."""
        self.lacking: set[str] = set()
        """Parts of paths that the company's plan does not have."""
        self.access_tokens: set[str] = set()
        self.refresh_token = "refresh-0-of-the-sandbox"  # noqa: S105 - of the sandbox
        self._router = self._routes()
        super().__init__(self._handle)

    def _routes(self) -> Router:
        router = Router(lambda _: _refusal(404, "unknown method"))
        router.post("/oauth/token", self._token)
        for kind in V2_KINDS:
            router.get(f"/api/v2/{kind}", self._lister(kind))
        router.get(
            "/api/v2/deals/archived", lambda asked: self._list(asked, "deals", archived=True)
        )
        router.get("/api/v2/deals/products", self._products)
        router.get("/api/v2/deals/installments", lambda _: _page([], None))
        router.get("/api/v2/deals/{id}/discounts", self._discounts)
        for name in ("pipelines", "stages"):
            router.get(f"/api/v2/{name}", self._pager(name))
        for name in ("deal", "person", "organization", "product", "activity"):
            router.get(
                f"/api/v2/{name}Fields",
                self._pager(f"{name}_fields"),
            )
        router.get("/api/v2/{kind}/{id}", self._one)
        router.get("/api/v1/users/me", self._me)
        for path, name in V1_SMALL.items():
            router.get(f"/api/v1/{path}", self._teller(name))
        router.get("/api/v1/goals/find", self._goals)
        router.get("/api/v1/leads", lambda asked: self._leads(asked, archived=False))
        router.get("/api/v1/leads/archived", lambda asked: self._leads(asked, archived=True))
        router.get("/api/v1/leads/{id}", self._lead)
        router.get("/api/v1/recents", self._recents)
        router.get("/api/v1/deals/{id}/changelog", self._changelog)
        router.get("/api/v1/mailbox/mailThreads", self._threads)
        router.get("/api/v1/mailbox/mailThreads/{id}/mailMessages", self._messages)
        return router

    def _handle(self, request: Request) -> Reply:
        if request.path == "/oauth/token":
            return self._router(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.headers.get("x-api-token") != API_TOKEN and token not in self.access_tokens:
            return _refusal(401, "unauthorized access")
        state = self.state
        if not self.burst.hit():
            return _refusal(429, "request over limit", {"x-ratelimit-reset": "1"})
        cost = cost_of(request.path)
        if state.tokens_used + cost > state.tokens_per_day:
            reply = _refusal(429, "request over limit", {"x-ratelimit-reset": "40000"})
        elif any(part in request.path for part in self.refused):
            reply = _refusal(403, "Scope and URL mismatch")
        elif any(part in request.path for part in self.lacking):
            reply = _refusal(403, "This feature is not part of your plan")
        else:
            state.tokens_used += cost
            try:
                wrong = complaint(request)
                reply = self._router(request) if wrong is None else _refusal(400, wrong)
            except RefusalError as refused:
                reply = _refusal(refused.status, str(refused))
        reply.headers = {
            "x-ratelimit-limit": str(self.burst.limit),
            "x-ratelimit-remaining": str(self.burst.remaining),
            "x-ratelimit-reset": "2",
            "x-daily-ratelimit-token-limit": str(state.tokens_per_day),
            "x-daily-ratelimit-token-remaining": str(state.tokens_per_day - state.tokens_used),
            **reply.headers,
        }
        return reply

    def _token(self, request: Request) -> Reply:
        form = request.form()
        if request.headers.get("authorization") != f"Basic {CLIENT}":
            return reply_json({"success": False, "error": "invalid_client"}, 401)
        if form.get("refresh_token") != self.refresh_token:
            return reply_json({"success": False, "error": "invalid_grant"}, 400)
        access = f"access-{len(self.access_tokens)}-of-the-sandbox"
        self.access_tokens = {access}
        return reply_json(
            {"access_token": access, "token_type": "Bearer", "expires_in": 3599,
             "refresh_token": self.refresh_token, "scope": "base deals:read",
             "api_domain": self.url}
        )  # fmt: skip

    def _lister(self, kind: str) -> App:
        return lambda asked: self._list(asked, kind)

    def _pager(self, name: str) -> App:
        return lambda _: _page(self._small(name), None)

    def _teller(self, name: str) -> App:
        return lambda _: reply_json({"success": True, "data": self._small(name)})

    def _small(self, name: str) -> list[dict[str, Any]]:
        return self.state.small.get(name, [])

    def _list(self, request: Request, kind: str, *, archived: bool = False) -> Reply:
        """Keyset paging by (sort field, id), as the vendor's opaque cursor has it."""
        field = request.param("sort_by") or "id"
        is_down = request.param("sort_direction") == "desc"
        limit = int(request.param("limit") or 100)
        if field not in {"id", "update_time", "add_time"}:
            raise RefusalError(400, "Parameter validation error: sort_by")
        statuses = (request.param("status") or "open,won,lost").split(",")
        since, until = request.param("updated_since"), request.param("updated_until")
        rows = [
            row
            for row in self.state.rows[kind].values()
            if (kind, row["id"]) not in self.state.hidden
            and bool(row.get("is_archived")) == archived
            and (kind != "deals" or row["status"] in statuses)
            and (since is None or row["update_time"] >= since)
            and (until is None or row["update_time"] < until)
        ]
        rows.sort(key=lambda row: (row[field], row["id"]), reverse=is_down)
        token = request.param("cursor")
        asked = {name: one[0] for name, one in request.query.items() if name != "cursor"}
        if token:
            place, began = _place(token)
            if began != asked:
                raise RefusalError(400, "the cursor belongs to other parameters")
            after = tuple(place)
            rows = [
                row
                for row in rows
                if ((row[field], row["id"]) < after if is_down else (row[field], row["id"]) > after)
            ]
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            told = json.dumps([[last[field], last["id"]], asked])
            following = base64.b64encode(told.encode()).decode()
        return _page(rows[:limit], following)

    def _one(self, request: Request) -> Reply:
        kind, record_id = request.values["kind"], int(request.values["id"])
        if (kind, record_id) in self.state.hidden:
            raise RefusalError(403, "Permission denied")
        record_id = self.state.merged.get((kind, record_id), record_id)
        row = self.state.rows.get(kind, {}).get(record_id)
        if row is None:
            raise RefusalError(404, "Entity was not found")
        return reply_json({"success": True, "data": row})

    def _products(self, request: Request) -> Reply:
        ids = (request.param("deal_ids") or "").split(",")
        if len(ids) > 100:
            raise RefusalError(400, "deal_ids: at most 100")
        rows = [line for one in ids for line in self.state.lines.get(int(one), [])]
        start, limit = int(request.param("cursor") or 0), int(request.param("limit") or 100)
        after = start + limit
        return _page(rows[start:after], str(after) if after < len(rows) else None)

    def _discounts(self, request: Request) -> Reply:
        return _page([{"id": f"d-{request.values['id']}", "amount": 5}], None)

    def _leads(self, request: Request, *, archived: bool) -> Reply:
        rows = [one for one in self.state.leads.values() if one["is_archived"] == archived]
        since = request.param("updated_since")
        if since is not None:
            # Whole seconds against milliseconds: "…05Z" must not hide "…05.250Z".
            bound = datetime.fromisoformat(since)
            rows = [one for one in rows if datetime.fromisoformat(one["update_time"]) >= bound]
        field, way = (request.param("sort") or "add_time ASC").split()
        rows.sort(key=lambda one: (one[field], one["id"]), reverse=way == "DESC")
        return _offsets(request, rows)

    def _lead(self, request: Request) -> Reply:
        if ("leads", request.values["id"]) in self.state.hidden:
            raise RefusalError(403, "Permission denied")
        row = self.state.leads.get(request.values["id"])
        if row is None:
            raise RefusalError(404, "requested lead not found")
        return reply_json({"success": True, "data": row})

    def _recents(self, request: Request) -> Reply:
        since = datetime.fromisoformat(request.param("since_timestamp") or "").replace(tzinfo=UTC)
        if (self.state.now - since).days > 30:
            raise RefusalError(400, "since_timestamp reaches back one month at most")
        items = (request.param("items") or "").split(",")
        rows = [
            {key: value for key, value in one.items() if key != "at"}
            for one in self.state.recents
            if one["at"] >= since and one["item"] in items
        ]
        return _offsets(request, rows)

    def _changelog(self, request: Request) -> Reply:
        deal_id = int(request.values["id"])
        if ("deals", deal_id) in self.state.hidden:
            raise RefusalError(403, "Permission denied")
        if deal_id not in self.state.rows["deals"]:
            raise RefusalError(404, "Deal not found")
        rows = self.state.changelog.get(deal_id, [])
        start, limit = int(request.param("cursor") or 0), int(request.param("limit") or 100)
        after = start + limit
        return _page(rows[start:after], str(after) if after < len(rows) else None)

    def _threads(self, request: Request) -> Reply:
        folder = request.param("folder")
        rows = [one for one in self._small("threads") if one["folder"] == folder]
        return _offsets(request, rows)

    def _messages(self, request: Request) -> Reply:
        thread = int(request.values["id"])
        rows = [one for one in self._small("messages") if one["mail_thread_id"] == thread]
        return reply_json({"success": True, "data": rows})

    def _goals(self, request: Request) -> Reply:
        """Of everybody only by type or assignee; past ones only on demand."""
        name, kind = request.param("type.name"), request.param("assignee.type")
        is_active = request.param("is_active", "true") == "true"
        goals = [
            one
            for one in self._small("goals")
            if one["is_active"] == is_active
            and name in {None, one["type"]["name"]}
            and kind in {None, one["assignee"]["type"]}
            and (name or kind or one["assignee"] == {"type": "person", "id": 1})
        ]
        return reply_json({"success": True, "data": {"goals": goals}})

    def _me(self, _: Request) -> Reply:
        me = {"id": 1, "name": "Ada Admin", "company_id": 7, "company_name": "Kontor",
              "is_admin": 1}  # fmt: skip
        return reply_json({"success": True, "data": me})


def _place(token: str) -> tuple[list[Any], dict[str, str]]:
    """Where a cursor stands, and of which parameters it is."""
    try:
        place, began = json.loads(base64.b64decode(token, validate=True))
    except ValueError:
        raise RefusalError(400, "the cursor cannot be read") from None
    return place, began


def _page(rows: list[dict[str, Any]], following: str | None) -> Reply:
    more = {"next_cursor": following}
    return reply_json({"success": True, "data": rows, "additional_data": more})


def _offsets(request: Request, rows: list[dict[str, Any]]) -> Reply:
    start, limit = int(request.param("start") or 0), int(request.param("limit") or 100)
    after = start + limit
    more: dict[str, Any] = {
        "start": start, "limit": limit, "more_items_in_collection": after < len(rows)
    }  # fmt: skip
    if after < len(rows):
        more["next_start"] = after
    page = rows[start:after] or None  # v1 says null for an empty page
    body = {"success": True, "data": page, "additional_data": {"pagination": more}}
    return reply_json(body)


def _refusal(status: int, error: str, headers: dict[str, str] | None = None) -> Reply:
    body = {"success": False, "error": error, "errorCode": status, "error_info": "",
            "data": None, "additional_data": None}  # fmt: skip
    return reply_json(body, status, headers)
