"""Signing in to an open-source Vtiger: one session for all readers of all processes.

A challenge is asked for, hashed with the user's access key, and exchanged for a session.
Asking for a challenge voids the one before it, whoever asked for it: two programs that
sign in as one user at once make one of them fail. Hence one sign-in at a time, under a
lock that other processes respect, and a second try where a stranger came between.
"""

import asyncio
import hashlib
import random
import time
from pathlib import Path

import msgspec

from connectors.base.client import Client, Response
from connectors.base.decode import decode
from connectors.base.errors import AccessDenied
from connectors.base.redact import remember
from connectors.base.shared import Kept, Shared, grant_name
from connectors.vtiger.envelope import RefusedError, opened
from connectors.vtiger.settings import OPEN_SOURCE_PATH, VtigerSettings

TRIES = {"INVALID_AUTH_TOKEN": 4, "INVALID_USER_CREDENTIALS": 3}
"""Tries against a stranger who signs in as the same user at the same time.

The server then compares our proof with the stranger's challenge, so that a good key looks
like a wrong one. It locks nobody out for that.
"""
PAUSE_SECONDS = 0.5
LIFE_SECONDS = 23 * 3600.0
"""The server ends a session after a day, or after half an hour without a call."""
YES = frozenset({"on", "1", "true", "yes"})


class _Challenge(msgspec.Struct):
    token: str


class _Granted(msgspec.Struct):
    sessionName: str  # noqa: N815 - the vendor's spelling
    userId: str = ""  # noqa: N815 - the vendor's spelling
    vtigerVersion: str | None = None  # noqa: N815 - the vendor's spelling
    is_admin: str | bool | int | None = None
    time_zone: str | None = None


class Account(Kept):
    """An open session and who it belongs to; ``is_admin`` None where the server is silent."""

    session: str
    user_id: str
    version: str | None
    is_admin: bool | None
    obtained_at: float


class SignIn:
    """Holds the session, and replaces it when the server no longer knows it."""

    def __init__(self, settings: VtigerSettings, client: Client, store: Path) -> None:
        """``store`` is the private file (mode 0600) that other processes read."""
        remember(settings.access_key)
        self._user = settings.username
        self._key = settings.access_key.get_secret_value()
        self._client = client
        self._grant = grant_name(settings.base_url, self._user, self._key)
        self._shared = Shared(
            store,
            Account,
            grant=self._grant,
            secrets=lambda held: (held.session,),
            is_live=lambda held: 0 <= time.time() - held.obtained_at < LIFE_SECONDS,
            renew=self._sign_in,
        )

    async def account(self, refused: str | None = None) -> Account:
        """The open session; another one than ``refused``.

        Raises:
            AccessDenied: user or key is refused; the whole source.
        """
        return await self._shared.get(refused)

    async def _sign_in(self, stored: Account | None) -> Account:
        del stored  # nothing of a session that ended helps to open another
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._exchange()
            except RefusedError as fault:
                if attempt >= TRIES.get(fault.code, 1):
                    raise _denied(fault, self._user, attempt) from None
            pause = PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5)  # noqa: S311 - spread
            await asyncio.sleep(pause)

    async def _exchange(self) -> Account:
        challenge = opened(
            await self._client.get(
                OPEN_SOURCE_PATH,
                params={"operation": "getchallenge", "username": self._user},
            ),
            "getchallenge",
        )
        token = decode(challenge, _Challenge).token
        # The protocol's own hash, and no choice of ours.
        proof = hashlib.md5((token + self._key).encode(), usedforsecurity=False).hexdigest()
        remember(token, proof)
        form = {"operation": "login", "username": self._user, "accessKey": proof}
        answer: Response = await self._client.post_form(OPEN_SOURCE_PATH, form)
        granted = decode(opened(answer, "login"), _Granted)
        return Account(
            session=granted.sessionName,
            user_id=granted.userId,
            version=granted.vtigerVersion,
            is_admin=said_yes(granted.is_admin),
            obtained_at=time.time(),
            grant=self._grant,
        )


def said_yes(value: str | bool | int | None) -> bool | None:
    """What Vtiger writes for yes ("on", "1", true); None where it says nothing."""
    return None if value in (None, "") else str(value).lower() in YES


def _denied(refusal: RefusedError, user: str, tries: int) -> AccessDenied:
    code = refusal.code
    if code == "INVALID_AUTH_TOKEN":
        mend = (
            "Another program signs in as the same user at the same time and voids our "
            f"challenge ({tries} tries). Give pipeledger a user of its own."
        )
    elif code == "ACCESSKEY_UNDEFINED":
        mend = "The user has no access key yet: open My Preferences once and save."
    elif code == "ACCESS_DENIED":
        mend = "There is no such user."
    else:
        mend = "Copy the Access Key from My Preferences again; the user must be active."
    return AccessDenied(f"sign-in of {user!r}: {refusal}. {mend}", whole_source=True)
