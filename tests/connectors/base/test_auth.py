"""Tokens are renewed once, by one, and are on disk before they are used."""

import asyncio
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.base.auth import OAuth, OAuthSettings
from connectors.base.errors import AccessDenied, VendorError
from sandbox.exchange import Reply, Request, Router, reply_json
from sandbox.http import SandboxServer
from tests.connectors.base.asking import client_of

FIRST = "refresh-token-0"


class Issuer:
    """A vendor whose refresh tokens rotate: each may be used once."""

    def __init__(self) -> None:
        self.numbers: Iterator[int] = itertools.count(1)
        self.valid_refresh = FIRST
        self.valid_access = ""
        routes = Router().post("/token", self.grant).get("/x", self.answer)
        self.server = SandboxServer(routes)

    def grant(self, request: Request) -> Reply:
        if request.form()["refresh_token"] != self.valid_refresh:
            return reply_json({"error": "invalid_grant"}, 400)
        number = next(self.numbers)
        self.valid_refresh = f"refresh-token-{number}"
        self.valid_access = f"access-token-{number}"
        return reply_json(
            {
                "access_token": self.valid_access,
                "refresh_token": self.valid_refresh,
                "expires_in": 1800,
            }
        )

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.valid_access}":
            return reply_json({"message": "expired"}, 401)
        return reply_json({"id": 1})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """On loopback."""
    one = Issuer()
    with one.server:
        yield one


def oauth(issuer: Issuer, folder: Path, configured: str = FIRST) -> OAuth:
    settings = OAuthSettings(
        token_url=f"{issuer.server.url}/token",
        client_id="client",
        client_secret=SecretStr("client-secret-1"),
        refresh_token=SecretStr(configured),
    )
    return OAuth(settings, folder / "token.json", pause_seconds=0.001)


async def test_a_token_that_expires_under_way_is_renewed_once_and_the_request_repeated(
    issuer: Issuer, tmp_path: Path
) -> None:
    """Long syncs outlive their tokens."""
    async with client_of(issuer.server, tmp_path, auth=oauth(issuer, tmp_path)) as client:
        await client.get("/x")
        issuer.valid_access = "revoked-by-the-vendor"
        issuer.server.requests.clear()
        answer = await client.get("/x")

    assert 200 == answer.status
    assert (2, 1) == (issuer.server.count("/x"), issuer.server.count("/token"))


async def test_a_second_401_running_is_a_refused_credential(issuer: Issuer, tmp_path: Path) -> None:
    """A fresh token that is refused will be refused for ever."""
    issuer.server.fail("/x", lambda *_: reply_json({"message": "no"}, 401), times=99)
    async with client_of(issuer.server, tmp_path, auth=oauth(issuer, tmp_path)) as client:
        with pytest.raises(AccessDenied) as caught:
            await client.get("/x")

    assert caught.value.whole_source
    assert (2, 2) == (issuer.server.count("/x"), issuer.server.count("/token"))


async def test_many_tasks_and_two_processes_refresh_once(issuer: Issuer, tmp_path: Path) -> None:
    """With rotating tokens the second refresh would use a voided one and lock us out."""
    mine, theirs = oauth(issuer, tmp_path), oauth(issuer, tmp_path)

    given = await asyncio.gather(*(auth.headers() for auth in (mine, theirs) * 10))

    assert {"Bearer access-token-1"} == {headers["Authorization"] for headers in given}
    assert 1 == issuer.server.count("/token")


async def test_the_rotated_token_outlives_the_process_in_a_private_file(
    issuer: Issuer, tmp_path: Path
) -> None:
    """The configured refresh token is void after its first use."""
    await oauth(issuer, tmp_path).headers()
    later = oauth(issuer, tmp_path)

    await later.renew({"Authorization": "Bearer access-token-1"})

    assert {"Authorization": "Bearer access-token-2"} == dict(await later.headers())
    assert 0o600 == stat.S_IMODE((tmp_path / "token.json").stat().st_mode)
    assert ["token.json", "token.json.lock"] == sorted(os.listdir(tmp_path))  # noqa: PTH208 - iterdir blocks too


async def test_a_new_sign_in_replaces_the_stored_token(issuer: Issuer, tmp_path: Path) -> None:
    """Otherwise the stored, voided token would win over what the user has just configured."""
    await oauth(issuer, tmp_path).headers()
    issuer.valid_refresh = "refresh-token-of-a-new-sign-in"

    given = await oauth(issuer, tmp_path, issuer.valid_refresh).headers()

    assert {"Authorization": "Bearer access-token-2"} == dict(given)


@pytest.mark.parametrize("torn", [b"", b"{", b"\x00" * 50])
async def test_a_broken_store_is_as_none(issuer: Issuer, tmp_path: Path, torn: bytes) -> None:
    """A damaged file must not stop a sign-in that still works."""
    (tmp_path / "token.json").write_bytes(torn)

    given = await oauth(issuer, tmp_path).headers()

    assert {"Authorization": "Bearer access-token-1"} == dict(given)


async def test_a_voided_refresh_token_asks_to_sign_in_again(issuer: Issuer, tmp_path: Path) -> None:
    """Only the user can mend it, so the message says so and shows no secret."""
    issuer.valid_refresh = "another"

    with pytest.raises(AccessDenied, match=r"invalid_grant.*Sign in again") as caught:
        await oauth(issuer, tmp_path).headers()

    assert FIRST not in str(caught.value)
    assert 1 == issuer.server.count("/token")


async def test_a_token_endpoint_that_is_down_is_tried_three_times(
    issuer: Issuer, tmp_path: Path
) -> None:
    """A short outage is no reason to sign in again."""
    issuer.server.fail("/token", lambda *_: reply_json({}, 503), times=99)

    with pytest.raises(VendorError, match="503"):
        await oauth(issuer, tmp_path).headers()

    assert 3 == issuer.server.count("/token")
