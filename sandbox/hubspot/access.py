"""Who may call, and how often: HubSpot's tokens, scopes and rate limits."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sandbox.exchange import Reply, Request, reply_json
from sandbox.http import RollingLimit
from sandbox.hubspot.schema import ALL_SCOPES

STATIC_TOKEN = "pat-eu1-5a4d0b0c-sandbox"  # noqa: S105 - opens nothing but this server
_counter = itertools.count(1)


def refusal(
    status: int,
    category: str,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Reply:
    """An error in HubSpot's shape."""
    body = {
        "status": "error",
        "message": message,
        "correlationId": str(UUID(int=next(_counter))),
        "category": category,
        **more,
    }
    return reply_json(body, status, headers)


@dataclass(slots=True)
class Limits:
    """What one account may do. Defaults: Professional, as documented in August 2025."""

    per_ten_seconds: int = 190
    per_day: int = 625_000
    search_per_second: int = 5
    search_total: int = 10_000
    """How far the search offset may reach."""


@dataclass(slots=True)
class Grant:
    """What a token may do; ``refresh_token`` only where it came from OAuth."""

    scopes: frozenset[str] = ALL_SCOPES
    is_oauth: bool = False
    is_expired: bool = False


@dataclass(slots=True)
class OAuthApp:
    """A registered app and the refresh tokens that its users gave it."""

    client_id: str
    client_secret: str
    refresh_tokens: dict[str, frozenset[str]] = field(default_factory=dict)
    rotates: bool = False
    """Whether a refresh voids the refresh token and returns another."""


class Gate:
    """Checks every call before it reaches the records."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.tokens: dict[str, Grant] = {STATIC_TOKEN: Grant()}
        self.apps: dict[str, OAuthApp] = {}
        self.used_today = 0
        self.refreshes = 0
        self._rolling = RollingLimit(limits.per_ten_seconds, 10.0)
        self._search = RollingLimit(limits.search_per_second, 1.0)

    def expire_tokens(self) -> None:
        """End the life of every OAuth access token handed out so far."""
        for grant in self.tokens.values():
            grant.is_expired = grant.is_oauth

    def new_day(self) -> None:
        """Midnight in the account's time zone: the daily count starts anew."""
        self.used_today = 0

    def admit(self, request: Request) -> Grant | Reply:
        """The caller's rights, or the refusal that HubSpot gives."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            return refusal(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        if not token.isascii() or " " in token or len(token) < 8:
            return Reply(530, b"error code: 1016", content_type="text/plain")
        grant = self.tokens.get(token)
        if grant is None:
            return refusal(401, "INVALID_AUTHENTICATION", "Authentication credentials not valid.")
        if grant.is_expired:
            return refusal(
                401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired."
            )
        return self._spend(request) or grant

    def _spend(self, request: Request) -> Reply | None:
        if self.used_today >= self.limits.per_day:
            return self._too_many("DAILY", "You have reached your daily limit.")
        if request.path.endswith("/search"):
            if not self._search.hit():
                return self._too_many(None, "You have reached your secondly limit.")
        elif not self._rolling.hit():
            return self._too_many(
                "TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit."
            )
        self.used_today += 1
        return None

    def _too_many(self, policy: str | None, message: str) -> Reply:
        named: dict[str, Any] = {"policyName": policy} if policy else {}
        return refusal(429, "RATE_LIMITS", message, errorType="RATE_LIMIT", **named)

    def rate_headers(self, request: Request, grant: Grant) -> dict[str, str]:
        """The headers that tell what is left; search answers carry none."""
        if request.path.endswith("/search"):
            return {}
        headers = {
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Max": str(self.limits.per_ten_seconds),
            "X-HubSpot-RateLimit-Remaining": str(self._rolling.remaining),
        }
        if not grant.is_oauth:
            headers["X-HubSpot-RateLimit-Daily"] = str(self.limits.per_day)
            left = max(0, self.limits.per_day - self.used_today)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(left)
        return headers

    def exchange(self, form: Mapping[str, str], portal_id: int) -> Reply:
        """POST /oauth/…/token: an access token for a refresh token."""
        app = self.apps.get(form.get("client_id", ""))
        if app is None or app.client_secret != form.get("client_secret"):
            return refusal(401, "BAD_CLIENT_ID", "missing or unknown client id or secret")
        if form.get("grant_type") != "refresh_token":
            return refusal(400, "BAD_GRANT_TYPE", "missing or unknown grant type")
        given = form.get("refresh_token", "")
        if given not in app.refresh_tokens:
            return refusal(400, "BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        self.refreshes += 1
        scopes = app.refresh_tokens[given]
        kept = given
        if app.rotates:
            del app.refresh_tokens[given]
            kept = f"eu1-refresh-{self.refreshes:04d}"
            app.refresh_tokens[kept] = scopes
        token = f"eu1-access-{self.refreshes:04d}-{app.client_id}"
        self.tokens[token] = Grant(scopes, is_oauth=True)
        return reply_json(
            {
                "access_token": token,
                "refresh_token": kept,
                "expires_in": 1800,
                "token_type": "bearer",
                "token_use": "access_token",
                "hub_id": portal_id,
                "user_id": 9001,
                "scopes": sorted(scopes),
            }
        )
