r"""A mail server on loopback that follows RFC 3501, CONDSTORE and QRESYNC to the letter.

Octets in literals are counted exactly, UIDs are never reused, ``n:*`` includes the last
message, FETCH of a body without PEEK sets \Seen, and a wrong password is refused. Tests
drive it through ``Mailbox``; the demo fills it from the fictional company.
"""

import base64
import re
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from types import TracebackType
from typing import Self

from sandbox.letters import section

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(slots=True)
class Mail:
    """One message in a folder."""

    raw: bytes
    arrived: datetime
    flags: set[str]
    modseq: int


@dataclass(slots=True)
class Box:
    """A folder with its UIDs, change counter and what was expunged from it."""

    attributes: tuple[str, ...] = ()
    uidvalidity: int = 1
    uidnext: int = 1
    modseq: int = 1
    mails: dict[int, Mail] = field(default_factory=dict)
    vanished: list[tuple[int, int]] = field(default_factory=list)
    is_denied: bool = False


@dataclass(slots=True)
class Mailbox:
    """The account's state. ``log`` holds every command line, passwords masked."""

    username: str = "sales@acme.test"
    password: str = "app-password"  # noqa: S105 - the account of a fictional company
    token: str = "oauth-token"  # noqa: S105
    capabilities: tuple[str, ...] = (
        *("IMAP4rev1", "ENABLE", "CONDSTORE", "QRESYNC", "SPECIAL-USE", "UIDPLUS", "ID"),
        *("AUTH=PLAIN", "AUTH=XOAUTH2", "SASL-IR"),
    )
    boxes: dict[str, Box] = field(default_factory=lambda: {"INBOX": Box()})
    log: list[str] = field(default_factory=list)
    drop_after_fetches: int | None = None
    """Hang up in the middle of the n-th FETCH answer, once."""
    is_bodystructure_broken: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def append(
        self,
        raw: bytes,
        *,
        folder: str = "INBOX",
        arrived: datetime | None = None,
        flags: tuple[str, ...] = (),
    ) -> int:
        """Deliver a message; returns its UID."""
        with self.lock:
            box = self.boxes.setdefault(folder, Box())
            uid, box.uidnext, box.modseq = box.uidnext, box.uidnext + 1, box.modseq + 1
            moment = arrived or datetime(2026, 10, 1, 9, tzinfo=UTC)
            box.mails[uid] = Mail(raw, moment, set(flags), box.modseq)
            return uid

    def expunge(self, *uids: int, folder: str = "INBOX") -> None:
        """Remove messages for good."""
        with self.lock:
            box = self.boxes[folder]
            for uid in uids:
                del box.mails[uid]
                box.modseq += 1
                box.vanished.append((box.modseq, uid))

    def flag(self, uid: int, *flags: str, folder: str = "INBOX") -> None:
        """Set flags, as another client would."""
        with self.lock:
            box = self.boxes[folder]
            box.modseq += 1
            box.mails[uid].flags |= set(flags)
            box.mails[uid].modseq = box.modseq

    def renumber(self, folder: str = "INBOX") -> None:
        """Rebuild the folder: new UIDVALIDITY, all UIDs void."""
        with self.lock:
            box = self.boxes[folder]
            mails = list(box.mails.values())
            box.uidvalidity += 1
            box.uidnext = len(mails) + 1
            box.mails = dict(enumerate(mails, start=1))
            box.vanished.clear()


class _ClosedError(Exception):
    """The server hangs up."""


class _Handler(socketserver.StreamRequestHandler):
    """One client's conversation."""

    mailbox: Mailbox
    tls: ssl.SSLContext | None = None
    timeout = 60

    def setup(self) -> None:
        if self.tls is not None:
            self.request = self.tls.wrap_socket(
                self.request, server_side=True, do_handshake_on_connect=False
            )
        super().setup()

    def finish(self) -> None:
        with suppress(OSError):  # the client may have gone in the middle of a line
            super().finish()
        self.request.close()

    def handle(self) -> None:
        self.box: Box | None = None
        self.signed_in = False
        self.enabled: set[str] = set()
        try:
            if self.tls is not None:
                self.request.do_handshake()
            self._say("* OK [CAPABILITY IMAP4rev1] ready")
            while line := self.rfile.readline(65_536):
                self._command(line.decode("utf-8", "replace").rstrip("\r\n"))
        except (_ClosedError, OSError):
            return

    def _command(self, line: str) -> None:
        tag, _, rest = line.partition(" ")
        name, _, arguments = rest.partition(" ")
        verb = name.upper()
        masked = "LOGIN ***" if verb == "LOGIN" else rest
        self.mailbox.log.append(masked)
        actions: dict[str, Callable[[str, str], None]] = {
            "CAPABILITY": self._capability,
            "NOOP": lambda tag, _: self._say(f"{tag} OK done"),
            "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate,
            "LOGOUT": self._logout,
            "ID": lambda tag, _: self._say('* ID ("name" "sandbox")', f"{tag} OK done"),
        }
        if self.signed_in:
            actions |= {
                "ENABLE": self._enable,
                "LIST": self._list,
                "EXAMINE": self._examine,
                "UID": self._uid,
            }
        action = actions.get(verb)
        if action is None:
            self._say(f"{tag} BAD {verb} is not possible here")
            return
        with self.mailbox.lock:
            action(tag, arguments)

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _capability(self, tag: str, _: str) -> None:
        self._say(f"* CAPABILITY {' '.join(self.mailbox.capabilities)}", f"{tag} OK done")

    def _login(self, tag: str, arguments: str) -> None:
        given = [
            part.replace('\\"', '"')
            for part in re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', arguments)
            for part in part
            if part
        ]
        self._admit(tag, given == [self.mailbox.username, self.mailbox.password])

    def _authenticate(self, tag: str, arguments: str) -> None:
        mechanism, _, first = arguments.partition(" ")
        if mechanism.upper() != "XOAUTH2":
            self._say(f"{tag} NO [CANNOT] unknown mechanism")
            return
        if not first:
            self._say("+ ")
            first = self.rfile.readline().decode().strip()
        wanted = f"user={self.mailbox.username}\x01auth=Bearer {self.mailbox.token}\x01\x01"
        right = base64.b64decode(first).decode() == wanted
        if not right:
            self._say("+ " + base64.b64encode(b'{"status":"400"}').decode())
            self.rfile.readline()
        self._admit(tag, right)

    def _admit(self, tag: str, right: bool) -> None:
        self.signed_in = right
        no = "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
        self._say(f"{tag} OK signed in" if right else f"{tag} {no}")

    def _logout(self, tag: str, _: str) -> None:
        self._say("* BYE", f"{tag} OK done")
        raise _ClosedError

    def _enable(self, tag: str, arguments: str) -> None:
        self.enabled |= {
            word for word in arguments.upper().split() if word in self.mailbox.capabilities
        }
        self._say(f"* ENABLED {' '.join(sorted(self.enabled))}", f"{tag} OK done")

    def _list(self, tag: str, _: str) -> None:
        for name, box in self.mailbox.boxes.items():
            self._say(f'* LIST ({" ".join(box.attributes)}) "/" "{name}"')
        self._say(f"{tag} OK done")

    def _examine(self, tag: str, arguments: str) -> None:
        name = arguments.strip().strip('"')
        box = self.mailbox.boxes.get(name)
        if box is None or box.is_denied:
            self.box = None
            code = "NONEXISTENT" if box is None else "NOPERM"
            self._say(f"{tag} NO [{code}] {name}")
            return
        self.box = box
        self._say(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
            f"* {len(box.mails)} EXISTS",
            f"* OK [UIDVALIDITY {box.uidvalidity}] UIDs valid",
            f"* OK [UIDNEXT {box.uidnext}] Predicted next UID",
        )
        has_modseq = {"CONDSTORE", "QRESYNC"} & set(self.mailbox.capabilities)
        self._say(f"* OK [HIGHESTMODSEQ {box.modseq}]" if has_modseq else "* OK [NOMODSEQ]")
        self._say(f"{tag} OK [READ-ONLY] EXAMINE completed")

    def _uid(self, tag: str, arguments: str) -> None:
        verb, _, rest = arguments.partition(" ")
        if self.box is None:
            self._say(f"{tag} BAD no folder selected")
        elif verb.upper() == "SEARCH":
            found = " ".join(map(str, sorted(self._search(self.box, rest))))
            self._say(f"* SEARCH {found}".rstrip(), f"{tag} OK done")
        elif verb.upper() == "FETCH":
            self._fetch(self.box, tag, rest)
        else:
            self._say(f"{tag} BAD UID {verb}")

    def _search(self, box: Box, criteria: str) -> set[int]:
        found = set(box.mails)
        words = iter(criteria.split())
        for word in words:
            if word.upper() == "UID":
                found &= _chosen(box, next(words))
            elif word.upper() == "SINCE":
                day, month, year = next(words).split("-")
                since = datetime(int(year), _MONTHS.index(month) + 1, int(day), tzinfo=UTC)
                found = {uid for uid in found if box.mails[uid].arrived >= since}
        return found

    def _fetch(self, box: Box, tag: str, rest: str) -> None:
        text, _, items = rest.partition(" ")
        since = re.search(r"\(CHANGEDSINCE (\d+)( VANISHED)?\)", items)
        chosen = _chosen(box, text)
        if since is not None:
            items = items[: since.start()]
            known = int(since[1])
            if since[2] and "QRESYNC" not in self.enabled:
                self._say(f"{tag} BAD VANISHED needs ENABLE QRESYNC")
                return
            gone = [uid for modseq, uid in box.vanished if modseq > known]
            if since[2] and gone:
                self._say(f"* VANISHED (EARLIER) {','.join(map(str, sorted(gone)))}")
            chosen = {uid for uid in chosen if box.mails[uid].modseq > known}
        if "BODYSTRUCTURE" in items.upper() and self.mailbox.is_bodystructure_broken:
            self._say(f"{tag} BAD internal error in BODYSTRUCTURE")
            return
        order = {uid: number for number, uid in enumerate(sorted(box.mails), start=1)}
        for uid in sorted(chosen):
            answer = b" ".join(self._items(box.mails[uid], uid, items, since is not None))
            whole = b"* %d FETCH (%s)\r\n" % (order[uid], answer)
            if self.mailbox.drop_after_fetches is not None:
                self.mailbox.drop_after_fetches -= 1
                if self.mailbox.drop_after_fetches < 0:
                    self.mailbox.drop_after_fetches = None
                    self.wfile.write(whole[: len(whole) // 2])
                    raise _ClosedError
            self.wfile.write(whole)
        self._say(f"{tag} OK FETCH completed")

    def _items(self, mail: Mail, uid: int, items: str, with_modseq: bool) -> Iterator[bytes]:
        yield b"UID %d" % uid
        upper = items.upper()
        if "BODY[" in upper and "BODY.PEEK[" not in upper:
            mail.flags.add("\\Seen")
        if "INTERNALDATE" in upper:
            month = _MONTHS[mail.arrived.month - 1]
            rest = f"{mail.arrived:%Y %H:%M:%S}"
            yield f'INTERNALDATE "{mail.arrived:%d}-{month}-{rest} +0000"'.encode()
        if "RFC822.SIZE" in upper:
            yield b"RFC822.SIZE %d" % len(mail.raw)
        if "FLAGS" in upper:
            yield f"FLAGS ({' '.join(sorted(mail.flags))})".encode()
        if with_modseq:
            yield b"MODSEQ (%d)" % mail.modseq
        if "BODYSTRUCTURE" in upper:
            yield b"BODYSTRUCTURE " + _structure(message_from_bytes(mail.raw))
        part = re.search(r"BODY(?:\.PEEK)?\[([\d.]+)\]<(\d+)\.(\d+)>", items, re.IGNORECASE)
        if part:
            first, most = int(part[2]), int(part[3])
            text = section(message_from_bytes(mail.raw), part[1])[first : first + most]
            yield f"BODY[{part[1]}]<{first}> {{{len(text)}}}\r\n".encode() + text
        wanted = re.search(r"BODY(?:\.PEEK)?\[HEADER\.FIELDS \(([^)]*)\)\]", items, re.IGNORECASE)
        if wanted:
            block = _header_fields(mail.raw, set(wanted[1].upper().split()))
            yield f"BODY[HEADER.FIELDS ({wanted[1]})] {{{len(block)}}}\r\n".encode() + block


def _chosen(box: Box, text: str) -> set[int]:
    """The existing UIDs of a set, ``*`` being the highest that exists."""
    last = max(box.mails, default=0)
    chosen: set[int] = set()
    for run in text.split(","):
        low, _, high = run.partition(":")
        ends = [last if end == "*" else int(end) for end in (low, high or low)]
        chosen |= {uid for uid in box.mails if min(ends) <= uid <= max(ends)}
    return chosen


def _header_fields(raw: bytes, wanted: set[str]) -> bytes:
    """The named fields as they stand in the message, folding kept, and the empty line."""
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    out: list[bytes] = []
    taken = False
    for line in re.split(rb"\r?\n", head):
        if line[:1] not in b" \t" or not line:
            taken = line.split(b":", 1)[0].decode("ascii", "replace").strip().upper() in wanted
        if taken:
            out.append(line)
    return b"".join(line + b"\r\n" for line in out) + b"\r\n"


def _structure(message: Message) -> bytes:
    """BODYSTRUCTURE of a message, as far as clients of envelopes need it."""
    if message.is_multipart():
        parts = [part for part in message.get_payload() if isinstance(part, Message)]
        inner = b"".join(_structure(part) for part in parts)
        return b'(%s "%s" NIL NIL NIL NIL)' % (
            inner,
            message.get_content_subtype().upper().encode(),
        )
    kind = message.get_content_maintype().upper().encode()
    subtype = message.get_content_subtype().upper().encode()
    content_id = f'"{message["Content-ID"]}"'.encode() if message["Content-ID"] else b"NIL"
    disposition = message.get_content_disposition()
    shown = f'("{disposition.upper()}" NIL)'.encode() if disposition else b"NIL"
    lines = b" 1" if kind == b"TEXT" else b""
    charset = message.get_content_charset()
    named = f'("CHARSET" "{charset}")'.encode() if charset else b"NIL"
    return b'("%s" "%s" %s %s NIL "%s" 1%s NIL %s NIL NIL)' % (
        kind,
        subtype,
        named,
        content_id,
        str(message["Content-Transfer-Encoding"] or "7BIT").upper().encode(),
        lines,
        shown,
    )


class ImapServer:
    """The server, running while the context is open; ``port`` is chosen by the system."""

    def __init__(self, mailbox: Mailbox, tls: ssl.SSLContext | None = None) -> None:
        handler = type("Handler", (_Handler,), {"mailbox": mailbox, "tls": tls})
        self.mailbox = mailbox
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.host, self.port = "127.0.0.1", int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
