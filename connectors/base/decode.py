"""JSON in, without losing a digit.

Two ways. ``strict_loads`` reads a whole document into Python objects: decimals exact,
no NaN, no duplicate key, bounded depth. ``decode`` reads only an envelope (a msgspec
Struct whose row field is ``list[msgspec.Raw]``) and leaves each row as the vendor's own
text, which is what landing stores; ``partial`` then reads the two or three fields of a
row that a connector needs.

    class Deals(msgspec.Struct):
        results: list[msgspec.Raw]      # required: `{}` and `{"error": …}` are refused
        paging: Paging | None = None

    class Deal(msgspec.Struct):
        id: str

    for row in decode(response.body, Deals).results:
        deal = partial(row, Deal)
"""

import json
import re
from collections.abc import Hashable
from decimal import Decimal
from functools import cache
from typing import Any, NoReturn, TypeVar, cast

import msgspec

from connectors.base.errors import BadRecord, ProtocolError

T = TypeVar("T")

MAX_DEPTH = 64
MAX_RECORD_BYTES = 1_000_000
# Longer than any amount or id; Python's own int() stops at 4,300 digits.
MAX_DIGITS = 400

_BOM = b"\xef\xbb\xbf"
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class _Unacceptable(ValueError):  # noqa: N818 - never leaves this module
    """Legal for a lenient parser, refused here."""


def _no_constant(name: str) -> NoReturn:
    raise _Unacceptable(f"{name} is not a JSON number")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _Unacceptable(f"an integer of {len(digits)} digits")
    return int(digits)


def _decimal(digits: str) -> Decimal:
    if len(digits) > MAX_DIGITS:
        raise _Unacceptable(f"a number of {len(digits)} digits")
    return Decimal(digits)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unacceptable(f"the key {twice[:60]!r} stands twice in one object")
    return fields


_STRICT = json.JSONDecoder(
    object_pairs_hook=_distinct,
    parse_float=_decimal,
    parse_int=_integer,
    parse_constant=_no_constant,
)


def _depth(body: bytes) -> int:
    """The deepest nesting of arrays and objects, without recursing into them."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return 0  # cannot be deeper than there are brackets
    depth = deepest = 0
    for byte in _STRINGS.sub(b"", body):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _read(body: bytes) -> Any:
    text = body.removeprefix(_BOM).decode("utf-8")
    value, end = _STRICT.raw_decode(text, len(text) - len(text.lstrip()))
    if text[end:].strip():
        raise _Unacceptable("text after the end of the document")
    return value


def strict_loads(body: bytes, *, max_bytes: int | None = None) -> Any:
    """Read a JSON document; every number with a point or exponent becomes a Decimal.

    Raises:
        ProtocolError: not UTF-8, not JSON, cut short, NaN or Infinity, a duplicate key,
            nested deeper than 64, a number of more than 400 digits, or over ``max_bytes``.
    """
    if max_bytes is not None and len(body) > max_bytes:
        raise ProtocolError(f"JSON of {len(body)} bytes, the cap is {max_bytes}")
    if (depth := _depth(body)) > MAX_DEPTH:
        raise ProtocolError(f"JSON nested {depth} deep, the cap is {MAX_DEPTH}")
    try:
        return _read(body)
    except (ValueError, RecursionError) as fault:
        raise ProtocolError(f"not usable JSON: {fault}") from None


def screen(record: bytes) -> None:
    """Refuse a record that landing, DuckDB and Python would not read alike.

    Raises:
        BadRecord: with the reason for quarantine; the caller keeps the raw text.
    """
    if len(record) > MAX_RECORD_BYTES:
        raise BadRecord(f"record of {len(record)} bytes, the cap is {MAX_RECORD_BYTES}")
    try:
        value = strict_loads(record)
    except ProtocolError as fault:
        raise BadRecord(str(fault)) from None
    if not isinstance(value, dict):
        raise BadRecord(f"a record must be an object, this is {type(value).__name__}")


@cache
def _decoder(shape: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(shape, float_hook=Decimal)


def decode(body: bytes, shape: type[T]) -> T:
    """Read a body as ``shape``; fields typed ``msgspec.Raw`` keep the vendor's bytes.

    Raises:
        ProtocolError: not JSON, cut short, or required fields missing. An error
            envelope under a 200 ends here, because it lacks the row field.
    """
    try:
        value: T = _decoder(cast("Hashable", shape)).decode(body.removeprefix(_BOM))
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise ProtocolError(f"unexpected JSON: {fault}") from None
    except RecursionError:
        raise ProtocolError("JSON nested too deep") from None
    return value


def partial(record: "msgspec.Raw | bytes", shape: type[T]) -> T:
    """Read only the fields of a record that ``shape`` names, skipping the rest.

    Raises:
        BadRecord: a named field is missing or of another type.
    """
    try:
        value: T = _decoder(cast("Hashable", shape)).decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise BadRecord(f"unexpected record: {fault}") from None
    return value
