"""Odoo's two remote interfaces on loopback, as 17 and 19 answer them."""

from typing import Any

from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import SandboxServer, http_date
from sandbox.odoo.state import DATABASE, LOGIN, UID, OdooState, RefusalError

READING = {
    "search_read": frozenset({"domain", "fields", "offset", "limit", "order", "load"}),
    "search": frozenset({"domain", "offset", "limit", "order"}),
    "read": frozenset({"ids", "fields", "load"}),
    "fields_get": frozenset({"allfields", "attributes"}),
}
"""The methods that read, and their named arguments."""


class OdooServer(SandboxServer):
    """One database on loopback; ``major`` is the version that it says it is."""

    def __init__(
        self, state: OdooState | None = None, *, major: int = 17, latency_seconds: float = 0.0
    ) -> None:
        self.state = state or OdooState()
        self.major = major
        self.takes_load = True
        """Whether search_read takes ``load``; 14 and old overrides of it do not."""
        self.asked: list[dict[str, Any]] = []
        """Named arguments of every search_read."""
        super().__init__(self._handle, latency_seconds=latency_seconds)

    def _handle(self, request: Request) -> Reply:
        if request.method == "POST" and request.path == "/jsonrpc":
            reply = self._rpc(request)
        elif request.method == "POST" and request.path.startswith("/json/2/") and self.major >= 19:
            reply = self._json_2(request)
        else:
            reply = Reply(404, b"<html>Not Found</html>", "text/html")
        reply.headers = {"Date": http_date(self.state.now), **reply.headers}
        return reply

    def _rpc(self, request: Request) -> Reply:
        asked = request.json()
        params = asked["params"]
        try:
            result = self._service(params["service"], params["method"], params["args"])
        except RefusalError as refused:
            data = {
                "name": refused.name,
                "debug": "Traceback (most recent call last): never to be logged",
                "message": str(refused),
                "arguments": [str(refused)],
                "context": {},
            }
            error = {"code": 200, "message": "Odoo Server Error", "data": data}
            return reply_json({"jsonrpc": "2.0", "id": asked["id"], "error": error})
        return reply_json({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    def _service(self, service: str, method: str, args: list[Any]) -> Any:
        if (service, method) == ("common", "version"):
            return {
                "server_version": f"{self.major}.0",
                "server_version_info": [self.major, 0, 0, "final", 0, ""],
                "protocol_version": 1,
            }
        if (service, method) == ("common", "authenticate"):
            database, login, key, _ = args
            if database != DATABASE:
                raise RefusalError(
                    "psycopg2.OperationalError", f'database "{database}" does not exist', 500
                )
            return UID if (login, key) == (LOGIN, self.state.api_key) else False
        database, uid, key, model, name, positional, kwargs = args
        if (database, uid, key) != (DATABASE, UID, self.state.api_key):
            raise RefusalError("odoo.exceptions.AccessDenied", "Access Denied", 401)
        named = dict(kwargs)
        if name == "read":
            named["ids"] = positional[0]
        elif positional:
            named["domain"] = positional[0]
        return self._method(model, name, named)

    def _sign_in(self, request: Request) -> None:
        is_known = request.headers.get("authorization") == f"Bearer {self.state.api_key}"
        if not is_known or request.headers.get("x-odoo-database") != DATABASE:
            raise RefusalError("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401)

    def _json_2(self, request: Request) -> Reply:
        try:
            self._sign_in(request)
            return reply_json(self._dispatched(request))
        except RefusalError as refused:
            body = {
                "name": refused.name,
                "message": str(refused),
                "arguments": [str(refused)],
                "context": {},
                "debug": "Traceback: never to be logged",
            }
            return reply_json(body, refused.status)

    def _dispatched(self, request: Request) -> Any:
        model, _, name = request.path.removeprefix("/json/2/").partition("/")
        if model not in self.state.schema:
            raise RefusalError(
                "werkzeug.exceptions.NotFound", f"the model {model!r} does not exist", 404
            )
        named = request.json()
        if name != "read" and named.get("ids"):
            raise RefusalError(
                "werkzeug.exceptions.UnprocessableEntity",
                f"cannot call {model}.{name} with ids",
                422,
            )
        return self._method(model, name, named)

    def _method(self, model: str, name: str, named: dict[str, Any]) -> Any:
        if name not in READING:
            raise RefusalError("builtins.AssertionError", f"{model}.{name} is no reading", 500)
        state = self.state
        state.known(model)
        known = READING[name]
        if name == "search_read" and not self.takes_load:
            known = known - {"load"}
        unknown = set(named) - known - {"context"}
        if unknown:
            raise RefusalError(
                "werkzeug.exceptions.UnprocessableEntity"
                if self.major >= 19
                else "builtins.TypeError",
                f"{name}() got an unexpected keyword argument {min(unknown)!r}",
                422,
            )
        context = named.get("context", {})
        if name == "fields_get":
            return state.fields_get(model)
        load = named.get("load", "_classic_read")
        if name == "read":
            return state.read(model, named["ids"], named["fields"], load)
        found = state.search(
            model, named.get("domain", []), context, named.get("limit"), named.get("order")
        )
        if name == "search":
            return found
        self.asked.append({"model": model, **named})
        return state.read(model, found, named["fields"], load)
