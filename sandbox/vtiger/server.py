"""Vtiger on loopback: ``webservice.php`` with challenge and session, and the cloud's REST.

It answers as 8.0 does, in its odd parts too: 200 to every refusal of the open-source
dialect, one challenge per user, short pages, counts that come back empty, and ``sync``
that dies under PHP 8.
"""

import base64
import hashlib
import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import RollingLimit, SandboxServer, http_date
from sandbox.vtiger.schema import NO_ENTITY, SECRETS, Row
from sandbox.vtiger.state import Entry, Login, VtigerState
from sandbox.vtiger.vtql import CAP, Query, VtqlError, number, parse

PATH = "/webservice.php"
CLOUD = "/restapi/v1/vtiger/default/"
CHALLENGE_SECONDS = 300
DENIED = "Permission to perform the operation is denied"
GET_ONLY = frozenset({"getchallenge", "listtypes", "describe", "retrieve", "query", "sync"})


class _RefusedError(Exception):
    """An envelope with success false; ``status`` of the cloud."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class VtigerServer(SandboxServer):
    """One installation on loopback.

    ``sync_works`` False is PHP 8 without the repair. ``per_minute`` and ``per_day`` are the
    cloud's limits; ``counts`` False is a release that drops the row of a count.
    """

    def __init__(
        self,
        state: VtigerState | None = None,
        *,
        sync_works: bool = True,
        counts: bool = True,
        per_minute: int = 90,
        per_day: int = 120_000,
        latency_seconds: float = 0.0,
    ) -> None:
        self.state = state or VtigerState()
        self.sync_works = sync_works
        self.counts = counts
        self.per_day = per_day
        self.used_today = 0
        self.logins = 0
        """How many sessions were opened."""
        self.sessions: dict[str, str] = {}
        self._minute = RollingLimit(per_minute, 60.0)
        self._challenges: dict[str, tuple[str, float]] = {}
        self._tokens = itertools.count(1)
        super().__init__(self._handle, latency_seconds=latency_seconds)

    def end_sessions(self) -> None:
        """Every session idles out."""
        self.sessions.clear()

    def _handle(self, request: Request) -> Reply:
        is_cloud = request.path.startswith(CLOUD)
        headers = {"Date": http_date(self.state.now)}
        try:
            if is_cloud:
                reply = self._cloud(request, headers)
            elif request.path == PATH:
                reply = self._open_source(request)
            else:
                reply = Reply(404, b"<html>Not Found</html>", "text/html")
        except _RefusedError as refused:
            error = {"code": refused.code, "message": str(refused)}
            body = {"success": False, "error": error}
            reply = reply_json(body, refused.status if is_cloud else 200)
        except VtqlError as refused:
            error = {"code": refused.code, "message": refused.message}
            reply = reply_json({"success": False, "error": error}, 400 if is_cloud else 200)
        reply.headers = {**headers, **reply.headers}
        return reply

    # Who asks.

    def _cloud(self, request: Request, headers: dict[str, str]) -> Reply:
        headers["X-FloodControl-MinuteLimit"] = str(self._minute.limit)
        headers["X-RateLimit-DailyLimit"] = str(self.per_day)
        reset = int(self.state.now.timestamp()) + 1
        headers["X-FloodControl-Reset"] = str(reset)
        allowed = self.used_today < self.per_day and self._minute.hit()
        headers["X-FloodControl-Remaining"] = str(self._minute.remaining)
        headers["X-RateLimit-Remaining"] = str(max(0, self.per_day - self.used_today - allowed))
        if not allowed:
            return Reply(429, b"Too many requests", "text/plain")
        self.used_today += 1
        scheme, _, pair = request.headers.get("authorization", "").partition(" ")
        name, _, key = base64.b64decode(pair).decode().partition(":") if pair else ("", "", "")
        login = self.state.logins.get(name)
        if scheme != "Basic" or login is None or login.access_key != key or not login.is_active:
            return Reply(401, b"Unauthorized", "text/plain")
        operation = request.path.removeprefix(CLOUD)
        if operation == "me":
            row = self.state.entry(login.user_id).row
            shown = {"id": login.user_id, "user_name": login.name, "is_admin": row.get("is_admin")}
            return _success(shown)
        return self._operate(operation, request, login)

    def _open_source(self, request: Request) -> Reply:
        form = request.form() if request.method == "POST" else {}
        operation = (request.param("operation") or form.get("operation") or "").lower()
        if operation == "getchallenge":
            return self._challenge(request.param("username") or "")
        if operation == "login":
            # Read from the body alone: a login by GET has no parameters.
            return self._login(form)
        if operation not in GET_ONLY:
            raise _RefusedError("UNKNOWN_OPERATION", "Unknown operation requested")
        session = request.param("sessionName") or form.get("sessionName")
        if not session:
            raise _RefusedError("AUTHENTICATION_REQUIRED", "Authencation required")
        name = self.sessions.get(session)
        if name is None:
            raise _RefusedError("INVALID_SESSIONID", "Session Identifier provided is Invalid")
        return self._operate(operation, request, self.state.logins[name])

    def _challenge(self, name: str) -> Reply:
        if name not in self.state.logins:
            raise _RefusedError("ACCESS_DENIED", "username does not exists")
        token = f"5f1c{next(self._tokens):09x}"
        now = int(self.state.now.timestamp())
        # The one before is deleted, whoever holds it.
        self._challenges[name] = (token, now + CHALLENGE_SECONDS)
        shown = {"token": token, "serverTime": now, "expireTime": now + CHALLENGE_SECONDS}
        return _success(shown)

    def _login(self, form: Mapping[str, str]) -> Reply:
        login = self.state.logins.get(form.get("username", ""))
        token, until = self._challenges.get(login.name, ("", 0.0)) if login else ("", 0.0)
        if login is None or until < self.state.now.timestamp():
            raise _RefusedError("INVALID_AUTH_TOKEN", "Specified token is invalid or expired")
        if login.access_key is None:
            raise _RefusedError("ACCESSKEY_UNDEFINED", "Access key for the user is undefined")
        proof = hashlib.md5((token + login.access_key).encode(), usedforsecurity=False)
        if proof.hexdigest() != form.get("accessKey") or not login.is_active:
            raise _RefusedError("INVALID_USER_CREDENTIALS", "Invalid username or password")
        session = f"session{next(self._tokens):025x}"
        self.sessions[session] = login.name
        self.logins += 1
        return _success(
            {
                "username": login.name,
                "time_zone": "UTC",
                "is_admin": "on" if login.is_admin else "off",
                "sessionName": session,
                "userId": login.user_id,
                "version": "0.22",
                "vtigerVersion": "8.0.0",
            }
        )

    # What is asked.

    def _operate(self, operation: str, request: Request, login: Login) -> Reply:
        if operation == "listtypes":
            shown = self._types(login)
            information = {
                one: {"isEntity": one not in NO_ENTITY, "label": one, "singular": one}
                for one in shown
            }
            return _success({"types": shown, "information": information})
        if operation == "describe":
            module = self._module(request.param("elementType") or "", login)
            return _success(self.state.description(module))
        if operation == "query":
            return self._query(request.param("query") or "", login)
        if operation == "retrieve":
            return self._retrieve(request.param("id") or "", login)
        if operation == "sync":
            return self._sync(request, login)
        raise _RefusedError("UNKNOWN_OPERATION", "Unknown operation requested")

    def _types(self, login: Login) -> list[str]:
        return [one for one in self.state.modules if one not in login.modules_hidden]

    def _module(self, name: str, login: Login) -> str:
        if name not in self._types(login):
            raise _RefusedError("ACCESS_DENIED", DENIED)
        return name

    def _query(self, text: str, login: Login) -> Reply:
        query = parse(text)
        module = self._module(query.module, login)
        fields = set(self.state.fields(module)) | {"id"}
        if module == "Users":
            # As every release since the sixth does.
            fields -= set(SECRETS)
        if unknown := query.names() - fields:
            name = min(unknown)
            raise _RefusedError("ACCESS_DENIED", f"Permission to access '.{name}.' denied.")
        found = [one for one in self.state.entries[module].values() if one.is_listed]
        by_id = "id" in query.names()
        matching = [
            one for one in found if query.holds({**one.row, "id": one.id} if by_id else one.row)
        ]
        if query.is_count:
            return _success([{"count": str(len(matching))}] if self.counts else [])
        self._sort(matching, query)
        # Joins multiply rows before the LIMIT; permissions and ids thin them after it.
        joined = [one for one in matching for _ in range(one.copies)]
        page = dict.fromkeys(one.id for one in joined[query.offset : query.offset + query.limit])
        rows = [self.state.entry(one) for one in page if self._may_see(one, login)]
        return _success([self._columns(self.state.shown(one), query, fields) for one in rows])

    @staticmethod
    def _sort(entries: list[Entry], query: Query) -> None:
        def key(entry: Entry) -> tuple[Any, ...]:
            return tuple(
                entry.number if name == "id" else entry.row.get(name) or "" for name in query.order
            )

        # Without an order the database gives what it likes: here, the newest first.
        if query.order:
            entries.sort(key=key, reverse=query.descending)
        else:
            entries.sort(key=lambda entry: -entry.number)

    @staticmethod
    def _columns(row: Row, query: Query, fields: set[str]) -> Row:
        if query.columns == ["*"]:
            return {name: value for name, value in row.items() if name in fields}
        return {name: row[name] for name in (*query.columns, "id")}

    @staticmethod
    def _may_see(record_id: str, login: Login) -> bool:
        return login.is_admin or record_id not in login.hidden

    def _retrieve(self, record_id: str, login: Login) -> Reply:
        number(record_id)
        try:
            entry = self.state.entry(record_id)
        except (KeyError, StopIteration):
            raise _RefusedError("ACCESS_DENIED", DENIED) from None
        # A deleted record has lost its type, which is what the refusal is about.
        if entry.is_deleted or entry.module not in self._types(login):
            raise _RefusedError("ACCESS_DENIED", DENIED)
        if not self._may_see(record_id, login):
            raise _RefusedError("ACCESS_DENIED", "Permission to read given object is denied")
        if entry.module == "Users" and not entry.is_listed:
            raise _RefusedError("RECORD_NOT_FOUND", "Record you are trying to access is not found")
        return _success(self.state.retrieved(entry))

    def _sync(self, request: Request, login: Login) -> Reply:
        if not self.sync_works:
            return Reply(500, b"", "text/html")
        if request.param("syncType") == "application" and not login.is_admin:
            raise _RefusedError("ACCESS_DENIED", "Only admin users can perform application sync")
        module = self._module(request.param("elementType") or "", login)
        since = int(request.param("modifiedTime") or "0")
        stamped = sorted(
            (
                (self._seconds(one), one)
                for one in self.state.entries[module].values()
                if one.row.get("modifiedtime")
            ),
            key=lambda pair: pair[0],
        )
        later = [(at, one) for at, one in stamped if at > since]
        reached = max((at for at, _ in later[:CAP]), default=since)
        taken = [one for at, one in later if at <= reached]
        return _success(
            {
                "updated": [self.state.shown(one) for one in taken if one.is_listed],
                "deleted": [one.id for one in taken if not one.is_listed],
                "more": any(at > reached for at, _ in later),
                "lastModifiedTime": reached,
            }
        )

    def _seconds(self, entry: Entry) -> int:
        text = entry.row["modifiedtime"] or ""
        return int(datetime.fromisoformat(text).replace(tzinfo=self.state.zone).timestamp())


def _success(result: Any) -> Reply:
    return reply_json({"success": True, "result": result})
