"""FETCH answers as values: atoms, quoted strings, literals and lists.

The standard library hands the answer over in pieces (text, and pairs of text and
literal); a server may split one message over several answers and speak of other messages
in between, so the pieces are merged by UID.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

Token: TypeAlias = bytes | list[Any]

_LITERAL = re.compile(rb"~?\{\d+\+?\}$")
# An atom may hold spaces and parentheses between brackets: BODY[HEADER.FIELDS (DATE)].
_TOKEN = re.compile(
    rb'(?P<parenthesis>[()])|"(?P<quoted>(?:[^"\\]|\\.)*)"?|(?:\[[^\]]*\]?|[^ ()\r\n\t\[])+',
    re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_INTERNAL = re.compile(
    rb"\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def fetched(pieces: Iterable[Any]) -> dict[int, dict[str, Token]]:
    """Message attributes by UID; an answer without a UID is somebody else's news.

    Keys are upper-case item names; the header block stands under ``BODY[HEADER.FIELDS]``.
    """
    messages: dict[int, dict[str, Token]] = {}
    for answer in _answers(pieces):
        items: dict[str, Token] = {}
        for name, value in zip(answer[::2], answer[1::2], strict=False):
            if not isinstance(name, bytes):
                continue
            key = name.decode("ascii", "replace").upper()
            items["BODY[HEADER.FIELDS]" if key.startswith("BODY[HEADER.FIELDS") else key] = value
        uid = items.get("UID")
        if isinstance(uid, bytes) and uid.isdigit():
            messages.setdefault(int(uid), {}).update(items)
    return messages


def _answers(pieces: Iterable[Any]) -> Iterator[list[Any]]:
    """The parenthesised list of each FETCH answer."""
    stack: list[list[Any]] = []
    for part in _tokens(pieces):
        if part == "(":
            stack.append([])
        elif part == ")":
            done = stack.pop() if stack else []
            if stack:
                stack[-1].append(done)
            elif done:
                yield done
        elif stack:
            stack[-1].append(part)


def _tokens(pieces: Iterable[Any]) -> Iterator[Any]:
    """Parentheses as str, everything else as bytes."""
    for piece in pieces:
        if piece is None:
            continue
        if isinstance(piece, tuple):
            yield from _split(_LITERAL.sub(b"", piece[0]))
            yield bytes(piece[1])
        else:
            yield from _split(piece)


def _split(text: bytes) -> Iterator[Any]:
    for match in _TOKEN.finditer(text):
        quoted = match["quoted"]
        if quoted is not None:
            yield _ESCAPED.sub(rb"\1", quoted)
        elif match["parenthesis"] is not None:
            yield match[0].decode()
        else:
            yield match[0]


def internal_date(value: Token | None) -> datetime | None:
    """INTERNALDATE as an instant: ``"20-Nov-2026 11:15:33 +0100"``."""
    match = _INTERNAL.match(value) if isinstance(value, bytes) else None
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, zone_h, zone_m = match.groups()
    offset = (int(zone_h) * 60 + int(zone_m)) * (1 if sign == b"+" else -1)
    number = _MONTHS.index(month.decode().lower()) + 1
    local = datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    return datetime.fromtimestamp(local.timestamp() - offset * 60, tz=UTC)


def has_attachment(structure: Token | None) -> bool:
    """Does a BODYSTRUCTURE hold a part that is attached rather than shown?"""
    if not isinstance(structure, list):
        return False
    if structure and isinstance(structure[0], list):
        return any(has_attachment(part) for part in structure if isinstance(part, list))
    flat = [
        item[0].upper()
        for item in structure
        if isinstance(item, list) and item and isinstance(item[0], bytes)
    ]
    if b"ATTACHMENT" in flat:
        return True
    kind = structure[0].upper() if structure and isinstance(structure[0], bytes) else b""
    content_id = structure[3] if len(structure) > 3 else b"NIL"
    return kind not in {b"TEXT", b"MULTIPART", b"MESSAGE"} and content_id in {b"NIL", b"nil"}


@dataclass(frozen=True, slots=True)
class TextPart:
    """Where a message's text lies: the section's number, and how it is written."""

    section: str
    is_html: bool
    charset: str
    encoding: str


class Written(NamedTuple):
    """A text as it stands in its message, and whether that is all of it."""

    octets: bytes
    is_whole: bool


def text_part(structure: Token | None) -> TextPart | None:
    """The first plain text of a BODYSTRUCTURE that is shown, else the first HTML.

    A message inside of a message is an attachment, and so is what is marked as one.
    """
    found = list(_text_parts(structure, ""))
    return next((one for one in found if not one.is_html), next(iter(found), None))


def _text_parts(structure: Token | None, place: str) -> Iterator[TextPart]:
    if not isinstance(structure, list) or not structure:
        return
    if isinstance(structure[0], list):
        parts = itertools.takewhile(lambda one: isinstance(one, list), structure)
        for number, part in enumerate(parts, start=1):
            yield from _text_parts(part, f"{place}{number}.")
        return
    words = [one.decode("ascii", "replace").lower() for one in structure if isinstance(one, bytes)]
    kind = words[:2]
    if kind not in (["text", "plain"], ["text", "html"]) or has_attachment(structure):
        return
    named = structure[2] if len(structure) > 2 and isinstance(structure[2], list) else []
    told = [one.decode("ascii", "replace").lower() for one in named if isinstance(one, bytes)]
    parameters = dict(zip(told[::2], told[1::2], strict=False))
    encoding = structure[5] if len(structure) > 5 and isinstance(structure[5], bytes) else b""
    yield TextPart(
        place.rstrip(".") or "1",
        kind[1] == "html",
        parameters.get("charset", "us-ascii"),
        encoding.decode("ascii", "replace").lower(),
    )


def uid_set(values: Iterable[int]) -> str:
    """UIDs as IMAP writes them: ``1:300,305``; ascending, empty for none."""
    runs: list[list[int]] = []
    for value in sorted(set(values)):
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in runs)


def uids(text: str) -> set[int]:
    """The UIDs of a set; zero, which some servers send, is no UID."""
    found: set[int] = set()
    for run in filter(None, text.split(",")):
        first, _, last = run.partition(":")
        low, high = sorted((int(first), int(last or first)))
        found.update(range(max(low, 1), high + 1))
    return found


def vanished(lines: Sequence[Any]) -> set[int]:
    """UIDs of VANISHED answers, with or without ``(EARLIER)``."""
    found: set[int] = set()
    for line in lines:
        if isinstance(line, bytes):
            match = re.search(rb"([\d:,]+)\s*$", line)
            if match:
                found |= uids(match[1].decode())
    return found
