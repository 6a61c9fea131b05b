"""Zoho's accounts server and CRM API on one loopback address.

It refuses what the vendor refuses: other words than ``Zoho-oauthtoken``, missing scopes (401,
not 403), pages beyond 2,000 records, tokens with other parameters, queries that are not
nested by twos, more than ten access tokens in ten minutes. Nothing found is 204.
"""

import itertools
from collections.abc import Callable, Sequence

from sandbox.exchange import Reply, Request, Router
from sandbox.http import RollingLimit, SandboxServer, http_date
from sandbox.zoho.answers import RefusedError, answer, not_found, paged, some
from sandbox.zoho.coql import CoqlError
from sandbox.zoho.records import Records
from sandbox.zoho.schema import LINE_FIELDS, LINES, described
from sandbox.zoho.state import Row, ZohoState

CLIENT = "1000.SANDBOXCLIENT"
SECRET = "sandbox-client-secret-4711"  # noqa: S105 - of the sandbox
REFRESH_TOKEN = "1000.sandbox-refresh-token-4711"  # noqa: S105 - of the sandbox
API = "/crm/v8"
TOKENS_IN_TEN_MINUTES = 10
ALL_SCOPES = (
    "ZohoCRM.modules.READ", "ZohoCRM.modules.emails.READ", "ZohoCRM.settings.READ",
    "ZohoCRM.users.READ", "ZohoCRM.org.READ", "ZohoCRM.coql.READ",
)  # fmt: skip


class ZohoServer(SandboxServer):
    """One organisation on loopback.

    ``credits`` are those of 24 hours.
    """

    def __init__(
        self,
        state: ZohoState | None = None,
        *,
        scopes: Sequence[str] = ALL_SCOPES,
        credits: int = 50_000,  # noqa: A002 - the vendor's word
        latency_seconds: float = 0.0,
    ) -> None:
        self.state = state or ZohoState()
        self.scopes = list(scopes)
        self.credits = credits
        self.credits_used = 0
        self.api_domain: str | None = None
        """What the token answer names; this server by default."""
        self.tokens: set[str] = set()
        self.tokens_given = 0
        self._grants = RollingLimit(TOKENS_IN_TEN_MINUTES, 600.0)
        self._numbers = itertools.count(1)
        self.records = Records(self.state, self._charge, self._known)
        self._routes = self._routed()
        super().__init__(self._handle, latency_seconds=latency_seconds)

    def end_tokens(self) -> None:
        """Every access token expires."""
        self.tokens.clear()

    def _routed(self) -> Router:
        def at(
            cost: int, scope: str, app: Callable[[Request], Reply]
        ) -> Callable[[Request], Reply]:
            return lambda request: self._guarded(request, cost, scope, app)

        settings = "ZohoCRM.settings.READ"
        modules = "ZohoCRM.modules.READ"
        emails = "ZohoCRM.modules.emails.READ"
        return (
            Router(lambda _: answer(not_found(), 404))
            .post("/oauth/v2/token", self._token)
            .post(f"{API}/coql", at(0, "ZohoCRM.coql.READ", self.records.coql))
            .get(f"{API}/users", at(1, "ZohoCRM.users.READ", self._users))
            .get(f"{API}/org", at(1, "ZohoCRM.org.READ", self._org))
            .get(f"{API}/org/currencies", at(1, settings, self._currencies))
            .get(f"{API}/settings/modules", at(1, settings, self._modules))
            .get(f"{API}/settings/fields", at(1, settings, self._fields))
            .get(f"{API}/settings/layouts", at(1, settings, self._layouts))
            .get(f"{API}/settings/pipeline", at(1, settings, self._pipeline))
            .get(f"{API}/settings/roles", at(1, settings, self._roles))
            .get(f"{API}/settings/territories", at(1, settings, self._territories))
            .get(f"{API}/{{module}}", at(1, modules, self.records.listed))
            .get(f"{API}/{{module}}/deleted", at(2, modules, self.records.deleted))
            .get(f"{API}/{{module}}/{{id}}", at(1, modules, self.records.one))
            .get(
                f"{API}/Deals/{{id}}/Emails",
                at(1, emails, self.records.emails),
            )
            .get(f"{API}/{{module}}/{{id}}/{{related}}", at(1, modules, self.records.related))
        )

    def _handle(self, request: Request) -> Reply:
        try:
            reply = self._routes(request)
        except RefusedError as refused:
            reply = refused.reply
        except CoqlError as refused:
            reply = RefusedError(refused.code, str(refused), **refused.details).reply
        headers = {"Date": http_date(self.state.now)}
        left = max(0, self.credits - self.credits_used)
        if left <= self.credits // 2:
            headers["X-API-CREDITS-REMAINING"] = str(left)
        reply.headers = {**headers, **reply.headers}
        return reply

    def _guarded(
        self, request: Request, cost: int, scope: str, app: Callable[[Request], Reply]
    ) -> Reply:
        word, _, token = request.headers.get("authorization", "").partition(" ")
        if word != "Zoho-oauthtoken" or token not in self.tokens:
            raise RefusedError("INVALID_TOKEN", "invalid oauth token", 401)
        if scope not in self.scopes:
            raise RefusedError(
                "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL", 401
            )
        self._charge(cost)
        module = request.values.get("module")
        if module is not None:
            self._known(module, wrapped=request.path.endswith("/deleted"))
        return app(request)

    def _charge(self, cost: int) -> None:
        if self.credits_used + cost > self.credits or self.credits_used >= self.credits:
            self.credits_used = self.credits
            message = "You have reached the maximum number of API credits for the day."
            raise RefusedError("TOO_MANY_REQUESTS", message, 429)
        self.credits_used += cost

    def _known(self, module: str, *, wrapped: bool = False) -> None:
        if not self.state.is_known(module):
            message = "the module name given seems to be invalid"
            raise RefusedError("INVALID_MODULE", message, wrapped=wrapped, resource_path_index=0)
        if module in self.state.closed_modules:
            permission = [f"Crm_Implied_View_{module}"]
            raise RefusedError("NO_PERMISSION", "Permission denied", 403, permissions=permission)

    # The accounts server: refusals come under 200.

    def _token(self, request: Request) -> Reply:
        form = request.form()
        if form.get("client_id") != CLIENT or form.get("client_secret") != SECRET:
            return answer({"error": "invalid_client"})
        if form.get("grant_type") != "refresh_token":
            return answer({"error": "unsupported_grant_type"})
        if form.get("refresh_token") != REFRESH_TOKEN:
            return answer({"error": "invalid_code"})
        if not self._grants.hit():
            told = "You have made too many requests continuously. Please try again after some time."
            body = {"error": "Access Denied", "error_description": told, "status": "failure"}
            return answer(body, 400)
        self.tokens_given += 1
        token = f"1000.access-token-{next(self._numbers):04d}"
        self.tokens.add(token)
        return answer(
            {
                "access_token": token,
                "scope": " ".join(self.scopes),
                "api_domain": self.api_domain or self.url,
                "token_type": "Bearer",
                "expires_in": 3600,
            }
        )

    # Settings.

    def _modules(self, _: Request) -> Reply:
        state = self.state
        listed = [(name, "default") for name in state.modules]
        listed += [(name, "custom") for name in state.own_modules]
        return answer(
            {
                "modules": [
                    {
                        "id": f"57257670000000{number:05d}",
                        "api_name": name,
                        "module_name": name,
                        "api_supported": True,
                        "viewable": name not in state.not_viewable,
                        "generated_type": kind,
                        "status": "visible",
                    }
                    for number, (name, kind) in enumerate(listed, 2_000)
                ]
            }
        )

    def _fields(self, request: Request) -> Reply:
        module = request.param("module") or ""
        if module in LINES.values():
            fields = dict.fromkeys(LINE_FIELDS, "text")
        else:
            self._known(module)
            fields = self.state.fields(module)
        own = self.state.own_fields.get(module, {})
        shown = [
            described(
                module,
                name,
                kind,
                is_own=name in own,
                values=self.state.picklist(module, name),
            )
            for name, kind in fields.items()
        ]
        return some("fields", shown)

    def _layouts(self, request: Request) -> Reply:
        if request.param("module") != "Deals":
            raise RefusedError("REQUIRED_PARAM_MISSING", "missing", param_name="module")
        return some("layouts", [self.state.layout])

    def _pipeline(self, request: Request) -> Reply:
        if request.param("layout_id") != self.state.layout["id"]:
            raise RefusedError("INVALID_DATA", "Invalid layoutid", param_name="layout_id")
        shown = [
            {**one, "maps": [_without(stage, "probability") for stage in one["maps"]]}
            for one in self.state.pipelines
        ]
        return some("pipeline", shown)

    def _roles(self, _: Request) -> Reply:
        return some("roles", self.state.roles)

    def _territories(self, _: Request) -> Reply:
        if self.state.territories is None:
            message = "Territory management is not enabled"
            raise RefusedError("FEATURE_NOT_ENABLED", message)
        return some("territories", self.state.territories)

    def _org(self, _: Request) -> Reply:
        state = self.state
        told = {
            **state.company,
            "iso_code": state.home_currency,
            "currency": state.home_currency,
            "time_zone": str(state.zone),
            "primary_email": "owner@example.com",
            "license_details": {"paid_type": "enterprise"},
        }
        return some("org", [told])

    def _currencies(self, _: Request) -> Reply:
        if self.state.currencies is None:
            raise RefusedError("CURRENCIES_NOT_ENABLED", "Multi currency is not enabled", 403)
        return some("currencies", self.state.currencies)

    def _users(self, request: Request) -> Reply:
        wants_deleted = request.param("type") == "DeletedUsers"
        users = [one for one in self.state.users if (one["status"] == "deleted") == wants_deleted]
        return paged("users", request, users)


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}
