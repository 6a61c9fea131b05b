"""A credential that all tasks of all processes share: one of them renews it, the others wait.

Vendors count sign-ins, void the token before, or refuse two at once. So what was granted lies
in a private file beside its lock: lock, look whether another has renewed it, renew, store
durably, use.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import ProtocolError
from connectors.base.locks import file_lock, write_durably
from connectors.base.redact import remember


class Kept(msgspec.Struct):
    """What is stored; ``grant`` names the configured sign-in without showing it."""

    grant: str


T = TypeVar("T", bound=Kept)


def grant_name(*parts: str) -> str:
    """The name of a configured sign-in: with another one, what is stored is void."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


class Shared(Generic[T]):
    """The newest credential; ``held`` is None until one was needed."""

    def __init__(
        self,
        store: Path,
        shape: type[T],
        *,
        grant: str,
        secrets: Callable[[T], Sequence[str]],
        is_live: Callable[[T], bool],
        renew: Callable[[T | None], Awaitable[T]],
    ) -> None:
        """``store`` is the private file (mode 0600).

        ``secrets`` are masked in all that is said; the first is what the vendor is shown.
        ``renew`` gets what was stored of the same grant, however old, and gives a new one.
        """
        self.held: T | None = None
        self._store = store
        self._shape = shape
        self._grant = grant
        self._secrets = secrets
        self._is_live = is_live
        self._renew = renew
        self._turn = asyncio.Lock()

    async def get(self, refused: str | None = None) -> T:
        """A credential with some of its life left; another one than ``refused``."""
        held = self._usable(self.held, refused)
        if held is not None:
            return held
        async with self._turn:
            usable = self._usable(self.held, refused)
            if usable is None:
                async with file_lock(self._store.with_name(self._store.name + ".lock")):
                    # Whoever held the lock before us may have renewed it already.
                    stored = self._load()
                    usable = self._usable(stored, refused)
                    if usable is None:
                        usable = await self._renew(stored)
                        remember(*self._secrets(usable))
                        # Before it is used: the vendor may have voided the old one just now.
                        write_durably(self._store, msgspec.json.encode(usable))
            self.held = usable
            return usable

    def _usable(self, held: T | None, refused: str | None) -> T | None:
        if held is None or self._secrets(held)[0] == refused or not self._is_live(held):
            return None
        return held

    def _load(self) -> T | None:
        try:
            stored = decode(self._store.read_bytes(), self._shape)
        except (FileNotFoundError, ProtocolError):
            return None
        remember(*self._secrets(stored))
        return stored if stored.grant == self._grant else None
