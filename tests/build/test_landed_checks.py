"""Landed data is judged before any model reads it."""

from pathlib import Path

import duckdb

from pipeledger.landed_checks import check_landed

ROW = (
    "select 'crm' as connection, {id} as record_id, {payload} as payload, '{change}' as change, "
    "timestamptz '2026-10-15 06:00+00' as observed_at, {updated} as source_updated_at, "
    "'hubspot__deals:crm:1:s:0' as raw_version_id"
)


def warehouse(path: Path, **changes: str) -> Path:
    """A warehouse whose one raw view has one row, right but for the given cells."""
    right = {"id": "'1'", "payload": "'{}'", "change": "upsert", "updated": "null::timestamptz"}
    file = path / "w.duckdb"
    with duckdb.connect(str(file)) as db:
        db.execute("create schema config")
        db.execute(
            "create table config.connections as select 'imap' as source, 'crm' as connection, "
            f"{changes.pop('stores_bodies', 'true')} as stores_bodies"
        )
        db.execute("create schema raw")
        db.execute(f"create view raw.hubspot__deals as {ROW.format(**{**right, **changes})}")
    return file


def names(path: Path, **changes: str) -> list[tuple[str, str]]:
    report = check_landed(warehouse(path, **changes))
    assert report.checks > 0
    return [(one.name, one.severity) for one in report.failures]


def test_sound_data_meets_every_expectation(tmp_path: Path) -> None:
    """A check that always fails teaches people to ignore checks."""
    assert [] == names(tmp_path)


def test_a_payload_that_is_no_json_is_an_error_that_names_its_version(tmp_path: Path) -> None:
    """Every model would read nulls out of it, without a word."""
    report = check_landed(warehouse(tmp_path, payload="'{\"a\": '"))

    (failure,) = report.failures
    assert ("landed_s12_payload", "error", 1) == (failure.name, failure.severity, failure.rows)
    assert ("hubspot__deals:crm:1:s:0",) == failure.records
    assert "hubspot__deals" in failure.message


def test_a_secret_in_landed_data_is_an_error_and_is_not_repeated(tmp_path: Path) -> None:
    """The report of a leak must not be the next leak."""
    report = check_landed(warehouse(tmp_path, payload='\'{"client_secret": "CANARY"}\''))

    (failure,) = report.failures
    assert "landed_s14_secret" == failure.name
    assert "CANARY" not in repr(failure)


def test_an_upsert_of_nothing_is_an_error(tmp_path: Path) -> None:
    """It would read as a record whose fields are all empty."""
    assert [("landed_upsert_payload", "error")] == names(tmp_path, payload="null::varchar")


def test_a_clock_that_runs_ahead_is_a_warning(tmp_path: Path) -> None:
    """The data is good, the window of the next sync may not be."""
    ahead = "timestamptz '2026-10-15 08:00+00'"

    assert [("landed_s13_clock", "warn")] == names(tmp_path, updated=ahead)


def test_text_of_mail_that_is_left_after_bodies_were_turned_off_is_a_warning(
    tmp_path: Path,
) -> None:
    """Landing forgets nothing by itself; whoever turned bodies off wants to know."""
    landed = '\'{"subject": "Offer", "body_text": "Hello"}\''

    assert [("landed_s14_body", "warn")] == names(tmp_path, payload=landed, stores_bodies="false")
    (tmp_path / "w.duckdb").unlink()
    assert [] == names(tmp_path, payload=landed)
