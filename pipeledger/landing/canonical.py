"""The content hash: equal for equal content, whatever its spelling.

Keys are sorted, white space is dropped, and 1.10 equals 1.1: the digits that a vendor
prints behind a number are no business event. Decimals are compared exactly, at any
length. Text is compared as it is.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import msgspec
import xxhash

from connectors.base.errors import BadRecord

_encode = msgspec.json.Encoder(order="sorted").encode
_NULL = xxhash.xxh3_128_digest(b"")


def _number(digits: str) -> Decimal:
    return Decimal(digits).normalize()


_decode = msgspec.json.Decoder(float_hook=_number).decode


def hasher(volatile: frozenset[str]) -> Callable[[bytes | None], bytes]:
    """A function from a record's JSON text to its 16-byte content hash.

    Args:
        volatile: payload fields that change without a business event: a top-level name,
            a dotted path (``properties.days_to_close``), or one that ends in ``*``.

    The function raises BadRecord when the text is no JSON object.
    """
    plain = tuple(tuple(path.split(".")) for path in sorted(volatile) if "*" not in path)
    patterns = tuple(tuple(path.split(".")) for path in sorted(volatile) if "*" in path)

    def digest(payload: bytes | None) -> bytes:
        if payload is None:
            return _NULL
        try:
            content = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError) as error:
            raise BadRecord(f"not readable as JSON: {error}") from error
        for path in plain:
            _drop(content, path)
        for path in patterns:
            _drop_matching(content, path)
        return xxhash.xxh3_128_digest(_encode(content))

    return digest


def content_hash(payload: bytes | None, volatile: frozenset[str] = frozenset()) -> bytes:
    """The content hash of one payload; see ``hasher``."""
    return hasher(volatile)(payload)


def _drop(content: Any, path: tuple[str, ...]) -> None:
    for name in path[:-1]:
        content = content.get(name) if isinstance(content, dict) else None
    if isinstance(content, dict):
        content.pop(path[-1], None)


def _drop_matching(content: Any, path: tuple[str, ...]) -> None:
    for name in path[:-1]:
        content = content.get(name) if isinstance(content, dict) else None
    if isinstance(content, dict):
        for name in [name for name in content if fnmatchcase(name, path[-1])]:
            del content[name]


_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_ESCAPE = re.compile(
    r"(?<!\\)(?P<even>(?:\\\\)*)(?:"
    r"(?P<pair>(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})+)"
    r"|(?P<bad>\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2}))"
)


def storable(payload: bytes | None) -> bytes | None:
    r"""JSON text without ``\u0000`` and half surrogate pairs, which no database keeps.

    They become replacement characters; everything else stays byte for byte.
    """
    if payload is None or _SUSPECT.search(payload) is None:
        return payload
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRecord(f"not UTF-8: {error}") from error
    return _ESCAPE.sub(lambda m: m["even"] + (m["pair"] or "\\ufffd"), text).encode()


def storable_text(text: str) -> str:
    """Any text without NUL and lone surrogates."""
    return _UNSAFE.sub("\ufffd", text)
