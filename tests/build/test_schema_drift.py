"""A source that renames a field is told of, before a number goes missing without a word."""

import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from pipeledger.empty_warehouse import RAW_COLUMNS
from pipeledger.schema_drift import ENOUGH, Drift, drifts, note_fields


@pytest.fixture
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as made:
        made.execute("create schema raw")
        made.execute("create schema meta")
        typed = ", ".join(f'"{name}" {kind}' for name, kind in RAW_COLUMNS.items())
        made.execute(f'create table raw."hubspot__deals" ({typed})')
        yield made


def land(db: duckdb.DuckDBPyConnection, sync_id: str, *payloads: dict[str, Any]) -> None:
    db.executemany(
        'insert into raw."hubspot__deals" (connection, sync_id, change, payload) '
        "values ('crm', ?, 'upsert', ?)",
        [(sync_id, json.dumps(payload)) for payload in payloads],
    )


def told(db: duckdb.DuckDBPyConnection, sync_id: str) -> Drift:
    counts = {
        ("crm", name): count
        for name, count in db.execute(
            'select sync_id, count(*) from raw."hubspot__deals" group by all'
        ).fetchall()
    }
    note_fields(db, "hubspot", "deals", counts)
    return drifts(db, "hubspot", "deals").get(("crm", sync_id), Drift())


def deals(number: int = ENOUGH, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": str(n), "properties": {"dealname": "A", **fields}} for n in range(number)]


def test_a_first_load_has_nothing_to_differ_from(db: duckdb.DuckDBPyConnection) -> None:
    land(db, "s1", *deals(amount="1"))

    assert told(db, "s1") == Drift()


def test_a_new_field_is_told_and_stops_nothing(db: duckdb.DuckDBPyConnection) -> None:
    """Somebody added a custom field in the CRM."""
    land(db, "s1", *deals())
    land(db, "s2", *deals(1, amount="1"))

    assert told(db, "s2") == Drift(("+properties.amount",))


def test_a_mapped_field_that_is_gone_from_every_record_stops(db: duckdb.DuckDBPyConnection) -> None:
    """Every amount would be null from here on."""
    land(db, "s1", *deals(amount="1", my_colour="red"))
    land(db, "s2", *deals())

    assert told(db, "s2") == Drift(
        ("-properties.amount", "-properties.my_colour"), ("properties.amount",)
    )


def test_a_mapped_field_of_another_type_stops(db: duckdb.DuckDBPyConnection) -> None:
    """Text that became an object is read as null."""
    land(db, "s1", *deals(amount="1"))
    land(db, "s2", *deals(amount={"value": 1}))

    assert told(db, "s2") == Drift(("properties.amount: text > object",), ("properties.amount",))


def test_a_field_of_two_types_is_told_once_it_has_the_second(
    db: duckdb.DuckDBPyConnection,
) -> None:
    """Vendors show an id, or the object where it was expanded."""
    land(db, "s1", *deals(owner="7"))
    land(db, "s2", *deals(1, owner="7"), *deals(1, owner={"id": 7}))
    land(db, "s3", *deals(1, owner={"id": 8}))

    assert told(db, "s2") == Drift(("properties.owner: text > object",))
    assert told(db, "s3") == Drift()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"amount": "1"}, {"amount": None}),
        ({"amount": None}, {"amount": "1"}),
        ({"amount": 1}, {"amount": 1.5}),
    ],
    ids=["emptied", "filled", "whole and broken numbers"],
)
def test_what_a_field_may_hold_is_no_drift(
    db: duckdb.DuckDBPyConnection, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """A warning that comes each night is read by nobody."""
    land(db, "s1", *deals(**first))
    land(db, "s2", *deals(**second))

    assert told(db, "s2") == Drift()


def test_a_few_records_without_an_optional_field_say_nothing(
    db: duckdb.DuckDBPyConnection,
) -> None:
    """Vendors leave out what is empty."""
    land(db, "s1", *deals(amount="1"))
    land(db, "s2", *deals(ENOUGH - 1))

    assert told(db, "s2") == Drift()


def test_a_sync_that_was_under_way_is_read_again(db: duckdb.DuckDBPyConnection) -> None:
    """A build may run beside a sync."""
    land(db, "s1", *deals())
    land(db, "s2", *deals(1))
    before = told(db, "s2")
    land(db, "s2", *deals(1, late="x"))

    assert before == Drift()
    assert told(db, "s2") == Drift(("+properties.late",))
