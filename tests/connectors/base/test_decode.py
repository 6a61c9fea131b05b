"""No digit is lost, and nothing ambiguous gets in."""

from decimal import Decimal

import msgspec
import pytest

from connectors.base.decode import decode, partial, screen, strict_loads
from connectors.base.errors import BadRecord, ProtocolError


class Listed(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


class Deal(msgspec.Struct):
    id: str
    amount: Decimal | None = None


def test_a_row_keeps_its_own_bytes() -> None:
    """Landing stores what the vendor wrote: 1.10 is not 1.1, and order is kept."""
    body = b'{"data":[ {"z":1.10,"a":99999999999999.990} , {"id":"2"}],"has_more":false,"x":1}'

    rows = [bytes(row) for row in decode(body, Listed).data]

    assert [b'{"z":1.10,"a":99999999999999.990}', b'{"id":"2"}'] == [row.strip() for row in rows]


@pytest.mark.parametrize("body", [b"{}", b'{"error":{"message":"no"}}', b'{"data":[]}', b"[]"])
def test_an_envelope_without_its_parts_is_refused(body: bytes) -> None:
    """An error under a 200 is not an empty page."""
    with pytest.raises(ProtocolError):
        decode(body, Listed)


def test_numbers_are_exact() -> None:
    """A double has 15 digits and a half; an amount may have more."""
    value = strict_loads(b'{"a":1234567890123456.78,"b":12345678901234567890,"c":1e3}')

    assert {"a": Decimal("1234567890123456.78"), "b": 12345678901234567890, "c": 1000} == value


BAD = {
    "nan": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}',
    "twice": b'{"a":1,"a":2}',
    "twice inside": b'{"x":[{"a":1,"a":1}]}',
    "digits": b'{"a":' + b"9" * 5_000 + b"}",
    "deep": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep but short": b'{"a":' + b"[" * 64 + b"]" * 64 + b"}",
    "not utf-8": b'{"a":"\xff"}',
    "cut": b'{"a":',
    "more": b'{"a":1} {"b":2}',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_what_two_readers_would_read_differently_is_refused(body: bytes) -> None:
    """Python takes the last of two equal keys, DuckDB the first: whose amount is right?"""
    with pytest.raises(ProtocolError):
        strict_loads(body)
    with pytest.raises(BadRecord):
        screen(body)


def test_brackets_in_text_are_no_depth() -> None:
    """A note full of brackets is a note."""
    screen(b'{"note":"' + b"[" * 500 + b'\\""}')


def test_a_record_over_the_cap_is_set_aside() -> None:
    """A 100 MB note would take the whole batch down."""
    with pytest.raises(BadRecord, match="the cap is 1000000"):
        screen(b'{"note":"' + b"x" * 1_000_000 + b'"}')


def test_a_byte_order_mark_is_read_over() -> None:
    """Some proxies add one; the document after it is right."""
    assert {"a": 1} == strict_loads(b'\xef\xbb\xbf{"a":1}')


def test_a_part_of_a_record_is_read_exactly() -> None:
    """A connector needs two fields of two hundred."""
    deal = partial(msgspec.Raw(b'{"id":"7","amount":99999999999999.99,"other":[1]}'), Deal)

    assert Deal("7", Decimal("99999999999999.99")) == deal


@pytest.mark.parametrize("record", [b'{"id":7}', b"{}", b"[]", b'{"id":"7"'])
def test_a_record_of_another_shape_is_bad_and_the_others_go_on(record: bytes) -> None:
    """One changed field type must not stop the page."""
    with pytest.raises(BadRecord):
        partial(record, Deal)
