"""What a payload's content hash is, digit by digit.

The hash is what a landed record is compared by. Were it computed otherwise, if only for one
spelling of a number, every record would land once more as a version that never was.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base.errors import BadRecord
from pipeledger.landing.canonical import MANY, NULL_HASH, Hasher

VOLATILE = frozenset({"seen", "properties.days", "properties.hs_time_*"})
PINNED = [
    ("no keys", "{}", "dc7048f8f8747f561349cde127705c16"),
    ("keys in order", '{"a":1,"b":2}', "56f72e8b76d5e116a90671dc28ffddf3"),
    ("keys out of order", '{ "b" : 2 ,\n "a" : 1 }', "56f72e8b76d5e116a90671dc28ffddf3"),
    (
        "keys sorted by code point",
        '{"Z":1,"a":2,"é":3,"日":4,"🙂":5}',
        "05369103d9da89b4e1f65369e1d90766",
    ),
    (
        "text beyond ASCII",
        '{"name":"Łódź – Zürich 東京 🙂"}',
        "8b1e4cff3dba190faf8e7546de7d20d9",
    ),
    (
        "the same text in escapes",
        r'{"name":"\u0141\u00f3d\u017a \u2013 Z\u00fcrich \u6771\u4eac \ud83d\ude42"}',
        "8b1e4cff3dba190faf8e7546de7d20d9",
    ),
    ("an accent apart", '{"name":"Zu\u0308rich"}', "177d14561c1e2badcb9e7ccac6a6c79a"),
    (
        "escaped characters",
        r'{"t":"\"\\\/\b\f\n\r\t\u001f\u007f"}',
        "313fc67416686a321ce91820cc09adad",
    ),
    (
        "lists and objects in each other",
        '{"a":[1,[2,{"z":null,"b":[]}],{}],"c":{"b":true,"a":false}}',
        "8bb7b74594194ebb5615330efe7d49bc",
    ),
    (
        "whole numbers of any length",
        '{"n":[0,-0,1,-1,9007199254740993,123456789012345678901234567890]}',
        "871676b1bb4878c98dd5472b029e623e",
    ),
    (
        "decimals however spelt",
        '{"n":[1.10,1.1,11e-1,0.110E1,100,1e2,100.0]}',
        "42d8d8a24c1cdae57aa21b4e950629e0",
    ),
    (
        "decimals that no double holds",
        '{"n":[99999999999999.99,0.1000000000000000055511151231257827,1e-300,1.5E+310]}',
        "62fd774fd885d9285782fd0931a0ec2f",
    ),
    (
        "zeros and long exponents",
        '{"n":[-0.0,0e5,-0E-7,12e999,-3.40e-1000]}',
        "03cfcb95c3b52ecb982a204789e442af",
    ),
    ("a number and a text", '{"a":1.1,"b":"1.1"}', "f4a97c48c21aa92351e8658f806eeaf1"),
    (
        "volatile fields",
        '{"id":1,"seen":"x","properties":{"days":3.5,"hs_time_in_a":1,"amount":"7.00"}}',
        "772ee0e0740b0ff35b90e26fca424841",
    ),
    (
        "no volatile fields",
        '{"id":1,"properties":{"amount":"7.00"}}',
        "772ee0e0740b0ff35b90e26fca424841",
    ),
    (
        "a volatile name at another depth",
        '{"id":1,"properties":{"seen":"x","amount":"7.00"}}',
        "5b32323a090b5f6a657e7abf3fdea202",
    ),
]


@pytest.mark.parametrize(
    ("payload", "expected"), [case[1:] for case in PINNED], ids=[case[0] for case in PINNED]
)
def test_the_identity_of_a_payload_never_changes(payload: str, expected: str) -> None:
    """A landing that was written years ago is compared with what is read today."""
    hasher = Hasher(VOLATILE)

    alone = hasher.hash(payload.encode())
    in_a_batch = hasher.hash_all([payload.encode()] * 2)
    among_many = hasher.hash_all([payload.encode()] * MANY)

    assert expected == alone.hex()
    assert [alone] * 2 == in_a_batch
    assert [alone] * MANY == among_many


def test_the_identity_of_no_payload_never_changes() -> None:
    """A tombstone is compared like any other version."""
    assert "99aa06d3014798d86001c324468d497f" == NULL_HASH.hex()
    assert NULL_HASH == Hasher().hash(None)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "z", "days", "hs_time_x", 'q"']), inner)
    ),
    max_leaves=8,
)
_RECORDS = st.dictionaries(
    st.sampled_from(["id", "seen", "properties", "é", "new"]), _VALUES, max_size=5
)


@settings(max_examples=60)
@given(st.lists(_RECORDS, min_size=1, max_size=8), st.lists(_RECORDS, max_size=8))
def test_records_have_the_same_identity_alone_and_among_many_others(
    looked_at: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    """Most of a large batch are read by what a few of them look like; it decides nothing."""
    hasher = Hasher(VOLATILE)
    batch = [json.dumps(one).encode() for one in looked_at * MANY + others]

    among_many = hasher.hash_all(batch)

    assert [hasher.hash(one) for one in batch[-MANY:]] == among_many[-MANY:]


@pytest.mark.parametrize(
    "odd",
    [
        '{"id":1,"properties":null}',
        '{"id":1,"properties":[]}',
        '{"id":1,"properties":{"days":3,"amount":"7.00","new":{"b":1,"a":2}}}',
        '{"id":1,"properties":{"amount":{"z":1.50,"a":2}}}',
        '{"other":{"b":1.0,"a":2},"id":1}',
        '{"id":{"days":1},"properties":{"seen":1},"events":[{"n":1},7,null]}',
        '{"id":1,"id":2,"properties":{"days":1,"days":2}}',
        "{}",
    ],
)
def test_a_record_unlike_the_others_keeps_its_identity(odd: str) -> None:
    """It shows other keys, or something else under a key, than those that were looked at."""
    hasher = Hasher(VOLATILE)
    usual = b'{"id":1.50,"properties":{"days":1,"amount":"7.00"},"events":[{"n":1,"a":2}]}'

    among_many = hasher.hash_all([usual] * MANY + [odd.encode(), usual])

    assert [hasher.hash(one) for one in (usual, odd.encode(), usual)] == among_many[-3:]


@pytest.mark.parametrize("broken", [b"[1]", b"7", b"null", b'{"id":', b'{"id":"\xff"}', b""])
def test_a_broken_record_among_many_is_told(broken: bytes) -> None:
    """The batch is then hashed record by record, to learn which it is."""
    with pytest.raises(BadRecord, match="JSON"):
        Hasher(VOLATILE).hash_all([b'{"id":1}'] * MANY + [broken])
