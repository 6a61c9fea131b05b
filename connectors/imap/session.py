"""One signed-in, read-only IMAP connection.

The standard library's client is blocking, so every command runs in a thread; one
connection serves one command at a time, which is what mail hosts like best.
Only EXAMINE and BODY.PEEK are ever sent: nothing is marked as seen. Text is asked for only
where the settings say so.
"""

import asyncio
import imaplib
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from connectors.base.auth import Auth
from connectors.base.body import BODY_CHARACTERS
from connectors.base.errors import AccessDenied, ProtocolError, VendorError
from connectors.base.mail import FIELDS
from connectors.imap.responses import TextPart, Token, Written, fetched, uid_set, uids, vanished
from connectors.imap.settings import ImapSettings

# Cyrus reads "*" as the highest UID that is visible, and so hides deletions of the newest.
TOP_UID = 4_294_967_295
ITEMS = (
    "UID INTERNALDATE RFC822.SIZE FLAGS BODYSTRUCTURE "
    f"BODY.PEEK[HEADER.FIELDS ({' '.join(FIELDS)})]"
)
TEXT_OCTETS = 4 * BODY_CHARACTERS
"""What is asked for of a text: base64 of UTF-8 takes up to four octets a character and more."""
SKIPPED = frozenset({"\\junk", "\\trash", "\\drafts", "\\noselect", "\\nonexistent"})
_LIST = re.compile(rb'\((?P<flags>[^)]*)\) (?P<delimiter>NIL|"[^"]*") (?P<name>.*)$', re.DOTALL)
_CODE = re.compile(r"\[([A-Z]+)")
# A signed-in user's answers that call for another day, not for another password.
_LATER = frozenset({"UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG", "OVERQUOTA"})
T = TypeVar("T")

imaplib.Commands.setdefault("ID", ("NONAUTH", "AUTH", "SELECTED"))


class RefusedError(VendorError):
    """The server answered NO or BAD to one command; the connection is still good."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A mailbox folder as LIST shows it; ``wire`` is its name as the server spells it."""

    name: str
    wire: str
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder after EXAMINE. ``modseq`` is None where the folder keeps no change counter."""

    uidvalidity: str
    uidnext: int
    exists: int
    modseq: int | None


@dataclass(slots=True)
class Session:
    """A connection and what its server can do."""

    settings: ImapSettings
    connection: str
    _client: imaplib.IMAP4 | None = None
    capabilities: frozenset[str] = field(default_factory=frozenset)
    auth: Auth | None = None
    """What gives fresh access tokens, where the settings name a token endpoint."""
    _token: str | None = field(default=None, repr=False)
    requests: int = 0
    bytes: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def connect(self) -> None:
        """Sign in.

        Raises:
            AccessDenied: wrong user, password or token. Not retried: hosts lock accounts.
            VendorError: no connection, TLS failure, or a server that is out of service.
        """
        if self.auth is not None:
            # Asked for at each sign-in: a token ends after an hour, the session does not.
            credential = (await self.auth.headers())["Authorization"]
            self._token = credential.removeprefix("Bearer ")
        elif self.settings.access_token is not None:
            self._token = self.settings.access_token.get_secret_value()
        await self._call(self._connect)

    async def close(self) -> None:
        """Sign out; a connection that is already gone is no error."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(_logout, client)

    async def folders(self) -> list[Folder]:
        """Every folder that can hold mail, in the order of LIST."""
        lines = await self._command("LIST", '""', '"*"')
        found = []
        for line in lines:
            text = line[0] + line[1] if isinstance(line, tuple) else line
            match = _LIST.search(text) if text else None
            if match is None:
                continue
            wire = match["name"].strip().strip(b'"').decode("ascii", "replace")
            attributes = frozenset(match["flags"].decode("ascii", "replace").lower().split())
            found.append(Folder(_from_modified_utf7(wire), wire, attributes))
        return found

    async def examine(self, folder: Folder) -> Opened:
        """Open a folder read-only.

        Raises:
            AccessDenied: the folder may not be read.
            VendorError: it does not exist any more, or the server refused otherwise.
        """

        def run(client: imaplib.IMAP4) -> Opened:
            answer, data = client.select(_quoted(folder.wire), readonly=True)
            self._expect(answer, data, f"EXAMINE {folder.name}")
            modseq = _number(client, "HIGHESTMODSEQ")
            return Opened(
                _text(client, "UIDVALIDITY") or "0",
                _number(client, "UIDNEXT") or 0,
                int(data[0] or 0),
                modseq or None,
            )

        return await self._run(run)

    async def search(self, *criteria: str) -> set[int]:
        """UIDs that fit; sequence numbers shift and are never used."""
        data = await self._command("UID", "SEARCH", *criteria)
        found: set[int] = set()
        for line in data:
            if isinstance(line, bytes) and line:
                found |= uids(line.decode("ascii").replace(" ", ","))
        return found

    async def fetch(self, wanted: Sequence[int]) -> dict[int, dict[str, Token]]:
        """Envelope fields of the given messages, by UID; those expunged meanwhile are missing.

        A server that stumbles over BODYSTRUCTURE (broken MIME) is asked again without.
        """
        chosen = uid_set(wanted)
        try:
            data = await self._command("UID", "FETCH", chosen, f"({ITEMS})")
        except RefusedError:
            plain = ITEMS.replace(" BODYSTRUCTURE", "")
            data = await self._command("UID", "FETCH", chosen, f"({plain})")
        self.bytes += sum(len(p[1]) if isinstance(p, tuple) else len(p or b"") for p in data)
        return {uid: items for uid, items in fetched(data).items() if uid in set(wanted)}

    async def texts(self, parts: Mapping[int, TextPart]) -> dict[int, Written]:
        """The beginning of the given text parts, by UID."""
        by_section: dict[str, list[int]] = {}
        for uid, part in parts.items():
            by_section.setdefault(part.section, []).append(uid)
        found: dict[int, Written] = {}
        for section, wanted in sorted(by_section.items()):
            item = f"BODY.PEEK[{section}]<0.{TEXT_OCTETS}>"
            data = await self._command("UID", "FETCH", uid_set(wanted), f"(UID {item})")
            self.bytes += sum(len(p[1]) if isinstance(p, tuple) else len(p or b"") for p in data)
            for uid, items in fetched(data).items():
                text = items.get(f"BODY[{section}]<0>")
                if uid in parts and isinstance(text, bytes):
                    found[uid] = Written(text, len(text) < TEXT_OCTETS)
        return found

    async def changes(self, since: int, *, with_vanished: bool) -> tuple[set[int], set[int]]:
        """UIDs whose flags changed after a counter, and those expunged after it."""
        modifier = f"(CHANGEDSINCE {since}{' VANISHED' if with_vanished else ''})"

        def run(client: imaplib.IMAP4) -> tuple[set[int], set[int]]:
            client.response("VANISHED")
            answer, data = client.uid("FETCH", f"1:{TOP_UID}", "(FLAGS)", modifier)
            self._expect(answer, data, "UID FETCH CHANGEDSINCE")
            gone = client.response("VANISHED")[1] or []
            return set(fetched(data)), vanished(gone)

        return await self._run(run)

    def has(self, capability: str) -> bool:
        """Does the server offer this extension?"""
        return capability.upper() in self.capabilities

    async def _command(self, name: str, *arguments: str) -> list[Any]:
        def run(client: imaplib.IMAP4) -> list[Any]:
            if name == "UID":
                answer, data = client.uid(arguments[0], *arguments[1:])
            else:
                answer, data = client.list(*arguments)
            self._expect(answer, data, f"{name} {arguments[0]}".strip())
            return list(data)

        return await self._run(run)

    async def _run(self, work: Callable[[imaplib.IMAP4], T]) -> T:
        """Run one command in a thread; a dropped line is picked up by the caller's next run."""

        def run() -> T:
            if self._client is None:
                raise imaplib.IMAP4.abort("not connected")
            self.requests += 1
            return work(self._client)

        return await self._call(run)

    async def _call(self, work: Callable[[], T]) -> T:
        try:
            # Streams share the connection; two commands at once would take each other's answers.
            async with self._turn:
                return await asyncio.to_thread(work)
        except ssl.SSLError as error:
            told = getattr(error, "verify_message", None) or error.reason or error
            raise VendorError(
                f"TLS to {self.settings.host} failed: {told}. A private "
                "authority goes into ca_file; verification cannot be turned off."
            ) from error
        except imaplib.IMAP4.abort as error:
            raise VendorError(f"the server hung up: {error}") from error
        except imaplib.IMAP4.error as error:
            raise self._judged(str(error), "command") from error
        except OSError as error:
            raise VendorError(f"no connection to {self.settings.host}: {error}") from error

    def _connect(self) -> None:
        config = self.settings
        context = ssl.create_default_context(cafile=config.ca_file)
        client: imaplib.IMAP4
        if config.security == "tls":
            client = imaplib.IMAP4_SSL(
                config.host, config.port, ssl_context=context, timeout=config.timeout_seconds
            )
        else:
            client = imaplib.IMAP4(config.host, config.port, timeout=config.timeout_seconds)
        try:
            if config.security == "starttls":
                _encrypt(client, context)
            self._sign_in(client)
            answer, data = client.capability()
            self._expect(answer, data, "CAPABILITY")
            self.capabilities = frozenset((data[0] or b"").decode("ascii").upper().split())
            if "ID" in self.capabilities:
                # Google asks for it; some providers refuse clients that do not say who they are.
                client._simple_command("ID", '("name" "pipeledger")')  # noqa: SLF001 - no public spelling
            wanted = next((c for c in ("QRESYNC", "CONDSTORE") if c in self.capabilities), None)
            if wanted and "ENABLE" in self.capabilities:
                client.enable(wanted)
        except BaseException:
            _logout(client)
            raise
        self._client = client

    def _sign_in(self, client: imaplib.IMAP4) -> None:
        config = self.settings
        try:
            if self._token is not None:
                first = f"user={config.username}\x01auth=Bearer {self._token}\x01\x01".encode()
                answers = iter((first,))
                # The server explains a refusal in a challenge, which wants an empty line.
                client.authenticate("XOAUTH2", lambda _: next(answers, b""))
            elif config.password is not None:
                client.login(config.username, config.password.get_secret_value())
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise self._judged(str(error), "LOGIN", signing_in=True) from None

    def _expect(self, answer: str, data: Sequence[Any], command: str) -> None:
        if answer != "OK":
            text = b" ".join(part for part in data if isinstance(part, bytes))
            raise self._judged(text.decode("utf-8", "replace"), command)

    def _judged(self, text: str, command: str, *, signing_in: bool = False) -> Exception:
        """The error family member for a NO or BAD answer."""
        code = next(iter(_CODE.findall(text)), "")
        where = f"{command} answered {text.strip()[:200]!r}"
        if code in {"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED"} or (
            signing_in and code not in _LATER
        ):
            return AccessDenied(
                f"{where}. Check username and password (or token) of sources.imap."
                f"{self.connection}; providers with two-step sign-in want an app password.",
                whole_source=True,
            )
        if code == "NOPERM":
            return AccessDenied(f"{where}. Give the account the right to read the folder.")
        return RefusedError(where)


def _encrypt(client: imaplib.IMAP4, context: ssl.SSLContext) -> None:
    if "STARTTLS" not in client.capabilities:
        # An attacker in between may strip the offer; the password stays here.
        raise ProtocolError("the server offers no STARTTLS")
    client.starttls(ssl_context=context)


def _logout(client: imaplib.IMAP4) -> None:
    try:
        client.logout()
    except (OSError, imaplib.IMAP4.error):
        client.shutdown()


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(client: imaplib.IMAP4, code: str) -> str | None:
    data = client.response(code)[1]
    value = data[-1] if data else None
    return value.decode("ascii", "replace").strip() if isinstance(value, bytes) else None


def _number(client: imaplib.IMAP4, code: str) -> int | None:
    text = _text(client, code)
    return int(text) if text and text.isdigit() else None


def _from_modified_utf7(wire: str) -> str:
    """A folder's name for people: ``&ZeVnLIqe-`` is 日本語."""

    def decoded(match: re.Match[str]) -> str:
        run = match[1]
        if not run:
            return "&"
        return ("+" + run.replace(",", "/") + "-").encode("ascii").decode("utf-7", "replace")

    return re.sub(r"&([^-]*)-", decoded, wire)
