"""Credentials, put on a request only after its address was checked.

An ``Auth`` gives headers, and may renew itself once after a 401. OAuth tokens rotate:
they are refreshed under a lock that other processes respect, stored durably before they
are used, and read again by whoever waited.
"""

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

import msgspec
from pydantic import SecretStr

from connectors.base.decode import decode
from connectors.base.errors import AccessDenied, ProtocolError, VendorError
from connectors.base.redact import remember
from connectors.base.shared import Kept, Shared, grant_name
from connectors.base.transport import (
    Answer,
    Bounds,
    Transient,
    base_origin,
    check_addresses,
    exchange,
    new_http,
)


class Auth(Protocol):
    """What the client needs of a credential."""

    async def headers(self) -> Mapping[str, str]:
        """The headers that carry it, fresh enough to use now."""
        ...

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Replace ``refused`` headers after a 401; False when there is nothing to renew."""
        ...


class HeaderAuth:
    """A key in a header of its own, for vendors that use neither Bearer nor Basic."""

    def __init__(self, name: str, secret: SecretStr) -> None:
        remember(secret)
        self._headers = {name: secret.get_secret_value()}

    async def headers(self) -> Mapping[str, str]:
        """The one header."""
        return self._headers

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Nothing to renew: an administrator rolls it."""
        del refused
        return False


class Bearer(HeaderAuth):
    """A static token: ``Authorization: Bearer …``."""

    def __init__(self, token: SecretStr) -> None:
        remember(token)
        super().__init__("Authorization", SecretStr(f"Bearer {token.get_secret_value()}"))


class Basic(HeaderAuth):
    """User and password, or key and empty password: ``Authorization: Basic …``."""

    def __init__(self, user: str, password: SecretStr) -> None:
        remember(password)
        pair = base64.b64encode(f"{user}:{password.get_secret_value()}".encode()).decode()
        remember(pair)
        super().__init__("Authorization", SecretStr(f"Basic {pair}"))


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """A refresh-token grant as RFC 6749 §6 has it.

    ``refresh_token`` is the one that the administrator configured; later ones are kept
    in the store and replace it until the configured one changes. ``refresh_at`` is the
    share of the token's life after which it is renewed before use.
    """

    token_url: str
    client_id: str
    client_secret: SecretStr | None
    refresh_token: SecretStr
    extra: Mapping[str, str] = field(default_factory=dict)
    refresh_at: float = 0.8
    client_secret_basic: bool = False


class _Stored(Kept):
    access_token: str
    refresh_token: str
    obtained_at: float
    expires_in: float
    grant_ends_at: float | None = None


class _Granted(msgspec.Struct):
    access_token: str
    refresh_token: str | None = None
    expires_in: float | str = 3600
    x_refresh_token_expires_in: float | str | None = None
    """Intuit's own: how long the refresh token will live."""


class _Refusal(msgspec.Struct):
    error: str | None = None
    error_description: str | None = None
    message: str | None = None


class OAuth:
    """An access token from a refresh token, renewed by one task of one process at a time."""

    def __init__(
        self,
        settings: OAuthSettings,
        store: Path,
        *,
        ca_file: str | None = None,
        bounds: Bounds = Bounds(max_body_bytes=1_000_000, deadline_seconds=30.0),  # noqa: B008 - frozen
        attempts: int = 3,
        pause_seconds: float = 1.0,
    ) -> None:
        """``store`` is the private file (mode 0600) of the newest tokens."""
        remember(settings.client_secret, settings.refresh_token)
        self._settings = settings
        base_origin(settings.token_url)  # refuses what is no address, before any call
        self._ca_file = ca_file
        self._bounds = bounds
        self._attempts = attempts
        self._pause = pause_seconds
        self._grant = grant_name(settings.client_id, settings.refresh_token.get_secret_value())
        self._shared = Shared(
            store,
            _Stored,
            grant=self._grant,
            secrets=lambda held: (held.access_token, held.refresh_token),
            is_live=self._is_live,
            renew=self._refresh,
        )

    @property
    def grant_ends_at(self) -> datetime | None:
        """When the refresh token dies, UTC, where the vendor told and a token was needed."""
        held = self._shared.held
        ends_at = None if held is None else held.grant_ends_at
        return None if ends_at is None else datetime.fromtimestamp(ends_at, UTC)

    async def headers(self) -> Mapping[str, str]:
        """A bearer header with a token that has some of its life left."""
        return {"Authorization": f"Bearer {(await self._shared.get()).access_token}"}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Get a token other than the refused one, from the store or the vendor."""
        await self._shared.get(refused.get("Authorization", "").removeprefix("Bearer "))
        return True

    def _is_live(self, held: _Stored) -> bool:
        # A negative age: the clock was set back, so the token's life is unknown.
        age = time.time() - held.obtained_at
        return 0 <= age < held.expires_in * self._settings.refresh_at

    async def _refresh(self, stored: _Stored | None) -> _Stored:
        settings = self._settings
        current = stored.refresh_token if stored else settings.refresh_token.get_secret_value()
        form = {"grant_type": "refresh_token", "refresh_token": current, **settings.extra}
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        secret = settings.client_secret.get_secret_value() if settings.client_secret else None
        if settings.client_secret_basic and secret is not None:
            headers.update(await Basic(settings.client_id, SecretStr(secret)).headers())
        else:
            form["client_id"] = settings.client_id
            if secret is not None:
                form["client_secret"] = secret
        answer = await ask_token(
            settings.token_url,
            urlencode(form).encode(),
            headers,
            what="refresh token",
            mend="Sign in again and store the new refresh token.",
            ca_file=self._ca_file,
            bounds=self._bounds,
            attempts=self._attempts,
            pause_seconds=self._pause,
        )
        granted = decode(answer.body, _Granted)
        lives = granted.x_refresh_token_expires_in
        return _Stored(
            access_token=granted.access_token,
            refresh_token=granted.refresh_token or current,
            obtained_at=time.time(),
            expires_in=float(granted.expires_in),
            grant=self._grant,
            grant_ends_at=None if lives is None else time.time() + float(lives),
        )


async def ask_token(
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    what: str,
    mend: str,
    ca_file: str | None,
    bounds: Bounds,
    attempts: int,
    pause_seconds: float,
) -> Answer:
    """POST a grant to a token endpoint and return its 200.

    ``what`` names the grant in the message, ``mend`` says what a person does about it.

    Raises:
        AccessDenied: the endpoint refused the grant (400, 401, 403); never repeated.
        VendorError: no answer, another status, or too many sign-ins, after all attempts.
    """
    origin = base_origin(url)
    last = ""
    async with new_http(ca_file=ca_file, connections=1) as http:
        for attempt in range(attempts):
            if attempt:
                await asyncio.sleep(pause_seconds * 2 ** (attempt - 1))
            try:
                await check_addresses(origin, is_base=True)
                answer = await exchange(
                    http,
                    "POST",
                    url,
                    allowed=frozenset({origin}),
                    headers=headers,
                    content=content,
                    bounds=bounds,
                )
            except Transient as fault:
                last = str(fault)
                continue
            if answer.status == 200:
                return answer
            last = f'{answer.status}, "{_refusal(answer.body)}"'
            if answer.status in {400, 401, 403} and not _is_passing(answer.body):
                raise AccessDenied(
                    f"the token endpoint refused the {what}: {last}. {mend}",
                    status=answer.status,
                    whole_source=True,
                )
    raise VendorError(f"the token endpoint gives no token: {last}")


class Granted:
    """A token that is asked for anew each time: client credentials or a signed assertion.

    ``form`` makes the request's fields, called once per token, so that an assertion is
    fresh. ``client`` authenticates the request itself, where the vendor wants the client's
    id and secret in a header. The token lives in memory alone; tasks that need one wait for
    one request.
    """

    def __init__(
        self,
        token_url: str,
        form: Callable[[], Mapping[str, str]],
        *,
        mend: str,
        client: Basic | None = None,
        ca_file: str | None = None,
        refresh_at: float = 0.8,
        pause_seconds: float = 1.0,
    ) -> None:
        self._client = client
        self._url = token_url
        self._form = form
        self._mend = mend
        self._ca_file = ca_file
        self._refresh_at = refresh_at
        self._pause = pause_seconds
        self._turn = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def headers(self) -> Mapping[str, str]:
        """A bearer header with a token that has some of its life left."""
        async with self._turn:
            if not self._token or time.monotonic() >= self._until:
                await self._ask()
            return {"Authorization": f"Bearer {self._token}"}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Get a token other than the refused one."""
        async with self._turn:
            if refused.get("Authorization") == f"Bearer {self._token}":
                await self._ask()
        return True

    async def _ask(self) -> None:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if self._client is not None:
            headers.update(await self._client.headers())
        answer = await ask_token(
            self._url,
            urlencode(self._form()).encode(),
            headers,
            what="grant",
            mend=self._mend,
            ca_file=self._ca_file,
            bounds=Bounds(max_body_bytes=1_000_000, deadline_seconds=30.0),
            attempts=3,
            pause_seconds=self._pause,
        )
        granted = decode(answer.body, _Granted)
        remember(granted.access_token)
        self._token = granted.access_token
        self._until = time.monotonic() + float(granted.expires_in) * self._refresh_at


_PASSING = frozenset(
    {"temporarily_unavailable", "server_error", "slow_down", "rate_limit_exceeded"}
)
"""Refusals of a token endpoint that say nothing of the grant (RFC 6749 4.1.2.1, RFC 8628 3.5)."""


def _is_passing(body: bytes) -> bool:
    try:
        refusal = decode(body, _Refusal)
    except ProtocolError:
        return False
    said = f"{refusal.error} {refusal.error_description}".lower()
    return refusal.error in _PASSING or "rate exceeded" in said or "rate limit" in said


def _refusal(body: bytes) -> str:
    try:
        refusal = decode(body, _Refusal)
    except ProtocolError:
        return "no readable reason"
    parts = [refusal.error, refusal.error_description, refusal.message]
    return ": ".join(str(part) for part in parts if part) or "no reason given"
