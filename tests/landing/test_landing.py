"""Landing: every version once, whatever is repeated, late, restored or torn."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base.errors import ConfigError
from connectors.base.stream import Change, Record
from pipeledger.landing import Checkpoint, Landing, content_hash
from pipeledger.landing.tables import FORMAT

T0 = datetime(2026, 10, 15, 6, tzinfo=UTC)


def record(
    record_id: str, content: Any, *, change: Change = "upsert", updated: int | None = None
) -> Record:
    payload = None if content is None else json.dumps(content).encode()
    clock = None if updated is None else T0 + timedelta(minutes=updated)
    return Record(record_id, payload, T0, change, clock)


def land(landing: Landing, sync: int, *records: Record, connection: str = "crm") -> int:
    return landing.append("hubspot", "deals", connection, records, f"s{sync:03}").appended


def history(landing: Landing, record_id: str) -> list[Any]:
    versions = landing.versions("hubspot", "deals", "crm", record_id)
    return [json.loads(v.payload) if v.payload else v.change for v in versions]


def test_reading_the_same_window_twice_adds_nothing(tmp_path: Path) -> None:
    """A retry, a crash or an overlap shows records again; they are not news."""
    landing = Landing(tmp_path)
    land(landing, 1, record("1", {"amount": "10"}), record("2", {"amount": "20"}))

    again = land(landing, 2, record("1", {"amount": "10"}), record("2", {"amount": "20"}))

    assert 0 == again
    assert [{"amount": "10"}] == history(landing, "1")


def test_every_change_is_kept_even_back_to_an_old_value(tmp_path: Path) -> None:
    """A to B to A is two moves; a store that compares with all old versions sees none."""
    landing = Landing(tmp_path)

    for sync, stage in enumerate("ABA"):
        land(landing, sync, record("1", {"stage": stage}))

    assert [{"stage": "A"}, {"stage": "B"}, {"stage": "A"}] == history(landing, "1")


def test_two_showings_in_one_batch_collapse_to_the_newer(tmp_path: Path) -> None:
    """A record that changes between page 1 and page 2 appears on both."""
    landing = Landing(tmp_path)

    added = land(landing, 1, record("1", {"v": 2}, updated=2), record("1", {"v": 1}, updated=1))

    assert 1 == added
    assert [{"v": 2}] == history(landing, "1")


def test_an_older_version_that_comes_late_replaces_nothing_and_is_kept(tmp_path: Path) -> None:
    """A lagging replica answers with yesterday's deal after today's was read."""
    landing = Landing(tmp_path)
    land(landing, 1, record("1", {"v": 2}, updated=2))

    land(landing, 2, record("1", {"v": 1}, updated=1))

    assert [{"v": 2}] == history(landing, "1")
    (kept,) = landing.quarantined()
    assert ("1", '{"v": 1}') == (kept["record_id"], kept["raw"])
    assert kept["reason"].startswith("late")


def test_a_deleted_record_that_returns_is_alive_again(tmp_path: Path) -> None:
    """Vendors have recycle bins."""
    landing = Landing(tmp_path)
    land(landing, 1, record("1", {"v": 1}), record("2", {"v": 1}))
    land(landing, 2, record("1", None, change="deleted"))
    assert 1 == landing.live_count("hubspot", "deals", "crm")

    land(landing, 3, record("1", {"v": 1}))

    assert 2 == landing.live_count("hubspot", "deals", "crm")
    assert [{"v": 1}, "deleted", {"v": 1}] == history(landing, "1")


def test_two_connections_of_one_source_never_mix(tmp_path: Path) -> None:
    """Two portals both have a deal 1."""
    landing = Landing(tmp_path)
    land(landing, 1, record("1", {"v": 1}), connection="emea")

    added = land(landing, 1, record("1", {"v": 1}), connection="apac")

    assert 1 == added
    assert 1 == landing.live_count("hubspot", "deals", "apac")


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        ('{"a":1,"b":2}', '{ "b": 2, "a": 1 }', True),
        ('{"a":1.10}', '{"a":1.1}', True),
        ('{"a":99999999999999.99}', '{"a":99999999999999.98}', False),
        ('{"a":0.1}', '{"a":0.10000000000000001}', False),
        ('{"a":"1.10"}', '{"a":"1.1"}', False),
        ('{"a":1.1}', '{"a":"1.1"}', False),
        ('{"a":100}', '{"a":1E2}', True),
        ('{"a":100.0}', '{"a":100}', True),
        ('{"a":-0.0}', '{"a":0}', True),
        ('{"a":1e999999999}', '{"a":10e999999998}', True),
        ('{"a":0.1000000000000000000000000000000001}', '{"a":0.1}', False),
        ('{"a":null}', "{}", False),
        ('{"a":12345678901234567890123}', '{"a":12345678901234567890124}', False),
    ],
)
def test_the_content_hash_sees_values_not_spelling(one: str, other: str, is_equal: bool) -> None:
    """A cent in sixteen digits is a change; a trailing zero is none."""
    assert is_equal is (content_hash(one.encode()) == content_hash(other.encode()))


def test_volatile_fields_land_but_make_no_version(tmp_path: Path) -> None:
    """A counter of days since creation would make a version of every deal every day."""
    landing = Landing(tmp_path)
    volatile = frozenset({"seen", "properties.days_*"})
    first = {"seen": 1, "properties": {"days_to_close": "3", "amount": "1"}}
    second = {"seen": 2, "properties": {"days_to_close": "2", "amount": "1"}}
    landing.append("hubspot", "deals", "crm", [record("1", first)], "s1", volatile)

    done = landing.append("hubspot", "deals", "crm", [record("1", second)], "s2", volatile)

    assert 0 == done.appended
    assert [first] == history(landing, "1")


def test_a_record_that_cannot_be_read_is_set_aside_and_the_others_land(tmp_path: Path) -> None:
    """One poisoned note must not hold back ten thousand deals."""
    landing = Landing(tmp_path)
    poison = Record("1", b'{"a": NaN}', T0)
    giant = Record("3", b'"' + b"x" * 2**20 + b'"', T0)

    added = land(landing, 1, poison, record("2", {"v": 1}), giant)

    assert 1 == added
    assert ["1", "3"] == [row["record_id"] for row in landing.quarantined()]


def test_characters_that_databases_refuse_become_replacement_marks(tmp_path: Path) -> None:
    """NUL and half an emoji occur in names; PostgreSQL and DuckDB refuse them."""
    landing = Landing(tmp_path)
    text = b'{"n":"a\\u0000b\\ud83dc\\ud83d\\ude00\\\\u0000"}'
    done = landing.append("hubspot", "deals", "crm", [Record("1", text, T0)], "s1")

    assert 1 == done.replaced_text
    (found,) = history(landing, "1")

    assert "a\ufffdb\ufffdc😀\\u0000" == found["n"]


def test_number_digits_land_as_the_vendor_sent_them(tmp_path: Path) -> None:
    """Through a float the last cent of a large amount is lost."""
    landing = Landing(tmp_path)
    text = b'{"amount": 99999999999999.990, "n": 1E2}'
    landing.append("hubspot", "deals", "crm", [Record("1", text, T0)], "s1")

    (version,) = landing.versions("hubspot", "deals", "crm", "1")

    assert text.decode() == version.payload


def test_a_pin_lists_the_files_of_one_version_whatever_lands_later(tmp_path: Path) -> None:
    """A build must not see half of the sync that runs beside it."""
    landing = Landing(tmp_path)
    land(landing, 1, record("1", {"v": 1}))
    landing.checkpoint(checkpoint("s001"))
    pin = landing.pin()["hubspot", "deals"]
    land(landing, 2, record("2", {"v": 1}))

    rows = duckdb.execute("select count(*) from read_parquet(?)", [list(pin.files)]).fetchone()

    assert (1,) == rows
    assert (1, 2) == (pin.rows, landing.pin()["hubspot", "deals"].rows)


def test_late_and_restored_are_told_apart(tmp_path: Path) -> None:
    """D-05 and D-08: after a delete an old clock means restored, not late."""
    landing = Landing(tmp_path)
    land(landing, 1, record("1", {"v": 2}, updated=2))
    land(landing, 2, record("1", None, change="deleted", updated=5))

    added = land(landing, 3, record("1", {"v": 2}, updated=2))

    assert 1 == added
    assert 1 == landing.live_count("hubspot", "deals", "crm")


def test_a_full_read_takes_the_vendor_at_his_word(tmp_path: Path) -> None:
    """A vendor that restored last week's backup shows older clocks for ever."""
    landing = Landing(tmp_path)
    land(landing, 1, record("1", {"v": 2}, updated=2))

    with landing.writer("hubspot", "deals", "crm", sync_id="s2", trust_clock=False) as writer:
        done = writer.append([record("1", {"v": 1}, updated=1)])

    assert (1, 0) == (done.appended, done.late)
    assert [{"v": 2}, {"v": 1}] == history(landing, "1")


@pytest.mark.parametrize(
    "text",
    [b"", b"[1]", b'{"a":NaN}', b'{"a":1}x', b"[" * 100_000, b'{"a":"\xed\xa0\x80"}', b"\xff"],
)
def test_a_payload_of_the_wrong_shape_is_set_aside(tmp_path: Path, text: bytes) -> None:
    """Deep nesting or half a body must cost one record, not the sync."""
    landing = Landing(tmp_path)

    done = landing.append(
        "hubspot", "deals", "crm", [Record("1", text, T0), record("2", {"v": 1})], "s1"
    )

    assert (1, 1) == (done.appended, done.quarantined)


def test_statuses_tell_the_last_state_and_the_last_complete_end(tmp_path: Path) -> None:
    """A source that fails since Monday is as of Sunday."""
    landing = Landing(tmp_path)
    later = T0 + timedelta(days=1)
    landing.checkpoint(checkpoint("s001"))
    landing.checkpoint(checkpoint("s002", at=later, state="failed", error="403"))

    (status,) = landing.statuses()

    assert ("failed", later, T0, "403") == (
        status.state,
        status.at,
        status.completed_at,
        status.error,
    )


def test_a_root_with_odd_characters_works(tmp_path: Path) -> None:
    """Folders have blanks, umlauts and equals signs in their names."""
    landing = Landing(tmp_path / "Müller & Söhne, a=b")
    land(landing, 1, record("1", {"v": 1}))

    assert 0 == land(landing, 2, record("1", {"v": 1}))
    assert [{"v": 1}] == history(landing, "1")


@pytest.mark.parametrize("name", ["a%20b", "a*", "a[1]"])
def test_a_root_that_readers_take_for_a_pattern_is_refused(tmp_path: Path, name: str) -> None:
    """Found out at the first build, the sync would have been for nothing."""
    with pytest.raises(ConfigError, match="another folder"):
        Landing(tmp_path / name)


def checkpoint(sync_id: str, sequence: int = 1, **changes: Any) -> Checkpoint:
    given: dict[str, Any] = {
        "cursor": {"after": "9", "at": "2026-10-15"},
        "state": "complete",
        "seen": 1,
        "appended": 1,
        "requests": 1,
        "bytes": 1,
        "started_at": T0,
        "at": T0,
    }
    row = {**given, **changes}
    return Checkpoint("hubspot", "crm", "deals", sync_id, **row, sequence=sequence)


def test_the_last_checkpoint_is_the_resume_point(tmp_path: Path) -> None:
    """Under a frozen clock too: syncs are ordered by their id, rows by their sequence."""
    landing = Landing(tmp_path)
    landing.checkpoint(checkpoint("s002", 1, cursor={"after": "b"}))
    landing.checkpoint(checkpoint("s001", 9, cursor={"after": "a"}))
    landing.checkpoint(checkpoint("s002", 2, cursor={"after": "c"}))

    last = landing.last_checkpoint("hubspot", "deals", "crm")

    assert last is not None
    assert {"after": "c"} == last.cursor


def test_a_damaged_cursor_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """Neither a silent full load nor a silent skip."""
    landing = Landing(tmp_path)
    landing.checkpoint(checkpoint("s001"))
    uri = str(tmp_path / "_checkpoints")
    DeltaTable(uri).update(updates={"cursor": "'{\"after\": '"})

    with pytest.raises(ConfigError, match="--full"):
        landing.last_checkpoint("hubspot", "deals", "crm")


def test_a_table_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    """What it means is not ours to guess."""
    landing = Landing(tmp_path)
    land(landing, 1, record("1", {"v": 1}))
    table = DeltaTable(str(tmp_path / "hubspot" / "deals"))
    newer = str(FORMAT + 1)
    table.alter.set_table_properties({"pipeledger.format": newer}, raise_if_not_exists=False)

    with pytest.raises(ConfigError, match=f"format {newer}"):
        land(landing, 2, record("1", {"v": 2}))


def test_a_table_that_another_process_made_meanwhile_takes_every_row_once(tmp_path: Path) -> None:
    """Two first syncs of a source at once: both make the table, and the later one's word stands."""
    landing = Landing(tmp_path / "landing")
    with landing.writer("hubspot", "deals", "crm", sync_id="s0") as writer:
        writer.append([record("1", {"amount": "10"})])
        # What the other one's making of the table leaves: a newer line about the whole table.
        table = DeltaTable(f"{landing.root}/hubspot/deals")
        table.alter.set_table_properties({"delta.logRetentionDuration": "interval 30 days"})

        done = writer.append([record("2", {"amount": "20"})])

    assert 1 == done.appended
    assert [{"amount": "10"}] == history(landing, "1")
    assert [{"amount": "20"}] == history(landing, "2")


def test_compaction_changes_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer files, the same versions in the same order."""
    monkeypatch.setattr("pipeledger.landing.store.COMPACT_ABOVE", 3)
    landing = Landing(tmp_path)
    for sync in range(6):
        land(landing, sync, record("1", {"v": sync}))
    before = history(landing, "1")

    landing.compact("hubspot", "deals")

    assert before == history(landing, "1")
    assert 1 == len(DeltaTable(str(tmp_path / "hubspot" / "deals")).file_uris())


steps = st.lists(
    st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("abX"), st.booleans()), max_size=6),
    max_size=6,
)


@settings(max_examples=25)
@given(steps)
def test_landing_equals_a_list_of_changes(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[str, str, bool]]]
) -> None:
    """Whatever is shown how often: a version for each change, none for a repeat."""
    landing = Landing(tmp_path_factory.mktemp("landing"))
    wanted: dict[str, list[str]] = {}
    for sync, shown in enumerate(batches):
        last = {key: value for key, value, _ in shown}
        records = []
        for key, value, is_repeated in shown:
            one = record(key, None, change="deleted") if value == "X" else record(key, {"v": value})
            records += [one] * (1 + is_repeated)
        for key, value in last.items():
            if wanted.setdefault(key, [])[-1:] != [value]:
                wanted[key].append(value)

        land(landing, sync, *records)

    found = {
        key: ["X" if v.change == "deleted" else json.loads(v.payload or "")["v"] for v in versions]
        for key in wanted
        if (versions := landing.versions("hubspot", "deals", "crm", key))
    }
    assert wanted == found
