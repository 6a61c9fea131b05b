"""Salesforce's token endpoint, REST and Bulk API 2.0 on loopback, by the vendor's rules."""

import base64
import csv
import io
import json
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.exchange import Reply, Request, Router, reply_json
from sandbox.http import SandboxServer, http_date
from sandbox.salesforce.soql import Query, SoqlError, parse
from sandbox.salesforce.state import (
    CLIENT_ID,
    CLIENT_SECRET,
    FORMULAS,
    Row,
    SalesforceState,
    stamp,
)

VERSION = "v66.0"
PAGE = 2_000
MAX_TARGET = 16_384
ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class RefusalError(Exception):
    """A refusal: status, error code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class SalesforceServer(SandboxServer):
    """One org on loopback."""

    def __init__(self, state: SalesforceState | None = None) -> None:
        self.state = state or SalesforceState()
        self.sessions: set[str] = set()
        self.refresh_token = "refresh-0-of-the-sandbox"  # noqa: S105 - of the sandbox
        self.rotates = False
        self.certificate: RSAPublicKey | None = None
        self.page_size = PAGE
        self.bulk_page = 10_000
        self.tokens = 0
        self.jobs_made = 0
        self._cursors: dict[str, tuple[list[Row], list[str], str]] = {}
        self._jobs: dict[str, tuple[Query, list[Row]]] = {}
        self._router = self._routes()
        super().__init__(self._handle)

    def _routes(self) -> Router:
        data = f"/services/data/{VERSION}"
        router = Router(
            lambda _: _refused(404, "NOT_FOUND", "The requested resource does not exist")
        )
        router.post("/services/oauth2/token", self._token)
        router.get(f"{data}/limits", self._limits)
        router.get(f"{data}/query", lambda asked: self._query(asked, with_deleted=False))
        router.get(f"{data}/queryAll", lambda asked: self._query(asked, with_deleted=True))
        router.get(f"{data}/query/{{locator}}", self._more)
        router.get(f"{data}/sobjects/{{name}}/describe", self._describe)
        router.get(f"{data}/sobjects/{{name}}/deleted/", self._deleted)
        router.post(f"{data}/jobs/query", self._job)
        router.get(f"{data}/jobs/query/{{job}}", self._job_state)
        router.add("DELETE", f"{data}/jobs/query/{{job}}", self._drop_job)
        router.get(f"{data}/jobs/query/{{job}}/results", self._results)
        return router

    def _handle(self, request: Request) -> Reply:
        state = self.state
        if request.path == "/services/oauth2/token":
            return self._router(request)
        if len(request.target) > MAX_TARGET:
            return Reply(414, b"URI too long", "text/html")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.sessions:
            return _refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if state.used >= state.daily_limit:
            return _refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        state.used += 1
        try:
            reply = self._router(request)
        except RefusalError as refused:
            reply = _refused(refused.status, refused.code, str(refused))
        except SoqlError as wrong:
            reply = _refused(400, "MALFORMED_QUERY", str(wrong))
        usage = f"api-usage={state.used}/{state.daily_limit}; per-app-api-usage=1/250(appName=x)"
        told = {"Date": http_date(state.now), "Sforce-Limit-Info": usage}
        reply.headers = {**told, **reply.headers}
        return reply

    # Signing in.

    def _token(self, request: Request) -> Reply:
        form = request.form()
        grant = form.get("grant_type")
        if grant == "client_credentials":
            if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
                return _grant_refused("invalid_client", "invalid client credentials")
        elif grant == ASSERTION:
            if not self._is_signed(form.get("assertion", "")):
                return _grant_refused("invalid_grant", "user hasn't approved this consumer")
        elif grant == "refresh_token":
            if form.get("refresh_token") != self.refresh_token:
                return _grant_refused("invalid_grant", "expired access/refresh token")
        else:
            return _grant_refused("unsupported_grant_type", "grant type not supported")
        self.tokens += 1
        token = f"00D-session-{self.tokens}-of-the-sandbox"
        self.sessions = {token}
        body = {"access_token": token, "instance_url": self.url, "token_type": "Bearer",
                "issued_at": "1790000000000", "scope": "api", "signature": "x"}  # fmt: skip
        if grant == "refresh_token" and self.rotates:
            self.refresh_token = f"refresh-{self.tokens}-of-the-sandbox"
            body["refresh_token"] = self.refresh_token
        return reply_json(body)

    def _is_signed(self, assertion: str) -> bool:
        head, _, signature = assertion.rpartition(".")
        if self.certificate is None or not head:
            return False
        try:
            self.certificate.verify(_decoded(signature), head.encode(), PKCS1v15(), SHA256())
            claims = json.loads(_decoded(head.partition(".")[2]))
        except (InvalidSignature, ValueError):
            return False
        return bool(claims["iss"] == CLIENT_ID and claims["sub"] and claims["aud"])

    # Data.

    def _limits(self, _: Request) -> Reply:
        state = self.state
        left = state.daily_limit - state.used
        return reply_json({"DailyApiRequests": {"Max": state.daily_limit, "Remaining": left}})

    def _known(self, name: str) -> dict[str, str]:
        if name in self.state.refused or name not in self.state.schema:
            raise RefusalError(404, "NOT_FOUND", "The requested resource does not exist")
        return self.state.schema[name]

    def _describe(self, request: Request) -> Reply:
        name = request.values["name"]
        fields = [
            {"name": one, "type": kind, "calculated": one in FORMULAS, "label": one}
            for one, kind in self._known(name).items()
        ]
        body = {"name": name, "label": name, "replicateable": True, "fields": fields}
        return reply_json(body)

    def _understood(self, text: str) -> Query:
        query = parse(text)
        if query.name in self.state.refused or query.name not in self.state.schema:
            raise RefusalError(
                400, "INVALID_TYPE", f"sObject type '{query.name}' is not supported."
            )
        for name in query.used:
            if name not in self.state.schema[query.name]:
                raise RefusalError(400, "INVALID_FIELD", f"No such column '{name}' on entity")
        return query

    def _found(self, query: Query, *, with_deleted: bool) -> list[Row]:
        rows = [
            row
            for row in self.state.rows[query.name].values()
            if (with_deleted or not row["IsDeleted"]) and query.meets(row)
        ]
        rows.sort(key=lambda row: [row[name] or "" for name in query.order])
        return rows[: query.limit]

    def _query(self, request: Request, *, with_deleted: bool) -> Reply:
        query = self._understood(request.param("q") or "")
        rows = self._found(query, with_deleted=with_deleted)
        if query.fields is None:
            return reply_json({"totalSize": len(rows), "done": True, "records": []})
        return self._page(rows, query.fields, query.name, 0, len(rows))

    def _page(self, rows: list[Row], fields: list[str], name: str, start: int, total: int) -> Reply:
        body: dict[str, Any] = {"totalSize": total, "done": len(rows) <= self.page_size}
        body["records"] = [
            {"attributes": {"type": name, "url": f"/services/data/{VERSION}/sobjects/{name}/x"}}
            | {one: row[one] for one in fields}
            for row in rows[: self.page_size]
        ]
        if not body["done"]:
            after = start + self.page_size
            locator = f"0r8{len(self._cursors):012d}-{after}"
            self._cursors[locator] = (rows[self.page_size :], fields, name)
            body["nextRecordsUrl"] = f"/services/data/{VERSION}/query/{locator}"
        return reply_json(body)

    def _more(self, request: Request) -> Reply:
        held = self._cursors.get(request.values["locator"])
        if held is None or request.query:
            raise RefusalError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        rows, fields, name = held
        start = int(request.values["locator"].rpartition("-")[2])
        return self._page(rows, fields, name, start, start + len(rows))

    def _deleted(self, request: Request) -> Reply:
        name = request.values["name"]
        self._known(name)
        start, end = (_moment(request.param(one) or "") for one in ("start", "end"))
        if (self.state.now - start).days > 15:
            raise RefusalError(400, "INVALID_REPLICATION_DATE", "startDate before org replication")
        gone = [
            {"id": one, "deletedDate": stamp(at)}
            for kind, one, at in self.state.purged
            if kind == name and start <= at <= end
        ]
        gone += [
            {"id": one, "deletedDate": row["SystemModstamp"]}
            for one, row in self.state.rows[name].items()
            if row["IsDeleted"] and start <= _moment(row["SystemModstamp"]) <= end
        ]
        body = {"deletedRecords": gone, "earliestDateAvailable": stamp(start)}
        return reply_json(body | {"latestDateCovered": stamp(end)})

    # Bulk.

    def _job(self, request: Request) -> Reply:
        body = request.json()
        if body["operation"] not in {"query", "queryAll"} or body["contentType"] != "CSV":
            raise RefusalError(400, "INVALIDJOB", "operation or content type")
        query = self._understood(body["query"])
        if query.fields is None or any(
            self.state.schema[query.name][one] == "address" for one in query.fields
        ):
            raise RefusalError(400, "INVALIDJOB", "Selecting compound data not supported")
        self.jobs_made += 1
        job = f"750{self.jobs_made:012d}AAA"
        # The results are those of the moment, whatever changes while they are fetched.
        rows = [dict(row) for row in self._found(query, with_deleted=True)]
        self._jobs[job] = query, rows
        return reply_json({"id": job, "state": "UploadComplete", "object": query.name})

    def _job_of(self, request: Request) -> tuple[Query, list[Row]]:
        held = self._jobs.get(request.values["job"])
        if held is None:
            raise RefusalError(404, "NOT_FOUND", "no such job")
        return held

    def _job_state(self, request: Request) -> Reply:
        _, rows = self._job_of(request)
        told = {"id": request.values["job"], "state": "JobComplete"}
        return reply_json(told | {"numberRecordsProcessed": len(rows)})

    def _drop_job(self, request: Request) -> Reply:
        self._job_of(request)
        del self._jobs[request.values["job"]]
        return Reply(204, b"", "")

    def _results(self, request: Request) -> Reply:
        query, rows = self._job_of(request)
        start = int(base64.b64decode(request.param("locator") or "MA=="))
        size = min(int(request.param("maxRecords") or self.bulk_page), self.bulk_page)
        part = rows[start : start + size]
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        fields = query.fields or []
        table.writerow(fields)
        kinds = self.state.schema[query.name]
        table.writerows([[_cell(row[one], kinds[one]) for one in fields] for row in part])
        after = start + size
        locator = base64.b64encode(str(after).encode()).decode() if after < len(rows) else "null"
        headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(part))}
        return Reply(200, text.getvalue().encode(), "text/csv", headers)


def _cell(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "datetime":
        return str(value).replace("+0000", "Z")
    return str(value)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("+0000", "+00:00"))


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _refused(status: int, code: str, message: str) -> Reply:
    return reply_json([{"message": message, "errorCode": code, "fields": []}], status)


def _grant_refused(error: str, description: str) -> Reply:
    return reply_json({"error": error, "error_description": description}, 400)
