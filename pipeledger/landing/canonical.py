"""The content hash: equal for equal content, whatever its spelling.

Keys are sorted, white space is dropped, and 1.10 equals 1.1 equals 11e-1: the digits that
a vendor prints behind a number are no business event. Numbers are compared exactly, at
any length; the number 1.1 and the text "1.1" differ. Text is compared as it is.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import msgspec
import xxhash

from connectors.base.errors import BadRecord
from pipeledger.landing.alike import reader_of

_encode = msgspec.json.Encoder(order="sorted").encode
_digest = xxhash.xxh3_128_digest
NULL_HASH = _digest(b"")
_LONGEST_EXPONENT = 400
MANY = 500
"""From so many records on it pays to look at some of them first, and to read all as they are."""
SAMPLES = 50

Drop: TypeAlias = Callable[[dict[str, Any]], None]


def _number(digits: str) -> msgspec.Raw:
    """One spelling for each number, as text: Decimal's own context would round at 28 digits."""
    if digits[-1] != "0" and "e" not in digits and "E" not in digits:
        return msgspec.Raw(digits)
    if "e" in digits or "E" in digits:
        number = Decimal(digits)
        sign, figures, exponent = number.as_tuple()
        if isinstance(exponent, int) and abs(exponent) < _LONGEST_EXPONENT:
            digits = format(number, "f")
        else:
            # Written out it would fill the memory; scientific, with the figures trimmed.
            text = "".join(map(str, figures)).rstrip("0")
            shift = int(exponent) + len(figures) - len(text)
            return msgspec.Raw(f"{'-' * sign}{text or '0'}e{shift if text else 0}".encode())
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return msgspec.Raw(b"0" if digits == "-0" else digits.encode())


_decode = msgspec.json.Decoder(float_hook=_number).decode


def _dropper(volatile: frozenset[str]) -> Drop | None:
    """A function that removes the volatile fields; None where there are none."""
    if not volatile:
        return None
    top = tuple(sorted(name for name in volatile if "." not in name and "*" not in name))
    nested: dict[tuple[str, ...], list[str]] = {}
    for dotted in sorted(volatile - set(top)):
        *parents, name = dotted.split(".")
        nested.setdefault(tuple(parents), []).append(name)
    below = tuple((path, tuple(names)) for path, names in nested.items())

    def drop(content: dict[str, Any]) -> None:
        for name in top:
            content.pop(name, None)
        for path, names in below:
            found: Any = content
            for step in path:
                found = found.get(step) if type(found) is dict else None
            if type(found) is dict:
                for name in names:
                    if "*" in name:
                        for match in [key for key in found if fnmatchcase(key, name)]:
                            del found[match]
                    else:
                        found.pop(name, None)

    return drop


class Hasher:
    """Content hashes of JSON texts.

    ``volatile`` names payload fields that change without a business event: a top-level
    name, a dotted path (``properties.days_to_close``), or one that ends in ``*``.
    """

    def __init__(self, volatile: frozenset[str] = frozenset()) -> None:
        self._drop = _dropper(volatile)
        self._volatile = volatile

    def hash(self, payload: bytes | None) -> bytes:
        """The 16-byte hash of one payload.

        Raises:
            BadRecord: the text is no JSON object.
        """
        if payload is None:
            return NULL_HASH
        try:
            return _digest(_encode(self._read(payload)))
        except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
            raise BadRecord(f"not readable as JSON: {error}") from error

    def hash_all(self, payloads: Sequence[bytes]) -> list[bytes]:
        """The hashes of many payloads, in their order; the quick way for a clean batch.

        Raises:
            BadRecord: one of them is no JSON object; ask ``hash`` for each to learn which.
        """
        try:
            read = self._quick_reader(payloads)
            return [_digest(_encode(read(one))) for one in payloads]
        except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
            raise BadRecord(f"not readable as JSON: {error}") from error

    def _read(self, payload: bytes) -> dict[str, Any]:
        content = _decode(payload)
        if type(content) is not dict:
            raise _not_an_object(content)
        if self._drop is not None:
            self._drop(content)
        return content

    def _quick_reader(self, payloads: Sequence[bytes]) -> Callable[[bytes], Any]:
        """What reads each of many records best."""
        if len(payloads) < MANY:
            return self._read
        step = len(payloads) // SAMPLES
        samples = [_decode(one) for one in payloads[::step]]
        if not all(type(one) is dict for one in samples):
            return self._read
        read_alike = reader_of(samples, self._volatile, _number)
        if read_alike is None:
            return self._read

        def read(payload: bytes) -> Any:
            try:
                return read_alike(payload)
            except msgspec.ValidationError:
                return self._read(payload)

        return read


def _not_an_object(content: Any) -> BadRecord:
    return BadRecord(f"a JSON {type(content).__name__} where an object belongs")


def content_hash(payload: bytes | None, volatile: frozenset[str] = frozenset()) -> bytes:
    """The content hash of one payload; see ``Hasher``."""
    return Hasher(volatile).hash(payload)


_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_ESCAPE = re.compile(
    r"(?<!\\)(?P<even>(?:\\\\)*)(?:"
    r"(?P<pair>(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})+)"
    r"|(?P<bad>\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2}))"
)


def storable(payload: bytes) -> bytes:
    r"""JSON text without ``\u0000`` and half surrogate pairs, which no database keeps.

    They become replacement characters; everything else stays byte for byte. The very same
    object comes back where there was nothing to replace.

    Raises:
        BadRecord: the text is not UTF-8.
    """
    if b"\\u" not in payload or _SUSPECT.search(payload) is None:
        return payload
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRecord(f"not UTF-8: {error}") from error
    cleaned = _ESCAPE.sub(lambda m: m["even"] + (m["pair"] or "\\ufffd"), text)
    return payload if cleaned == text else cleaned.encode()


def storable_text(text: str) -> str:
    """Any text without NUL and lone surrogates."""
    return _UNSAFE.sub("\ufffd", text)
