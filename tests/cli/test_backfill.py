"""`pipeledger backfill`: days of the company's zone, one source or one connection."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connectors.base.errors import ConfigError
from pipeledger.cli import app
from pipeledger.locks import exclusive
from pipeledger.pipeline import range_of_days
from pipeledger.settings import load_settings
from tests.orchestration.tiny import place


@pytest.fixture
def company(tmp_path: Path) -> Path:
    path = place(tmp_path)
    august = datetime(2026, 8, 1, tzinfo=UTC).timestamp()
    os.utime(tmp_path / "inbox" / "deals.csv", (august, august))
    assert 0 == call(path, "sync", "books").exit_code
    return path


def call(path: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(path), "--json"])


def september(path: Path, source: str = "books") -> Result:
    return call(path, "backfill", source, "--from", "2026-09-01", "--to", "2026-09-30")


def test_days_are_the_companys_and_the_last_one_counts(company: Path) -> None:
    """A deal of the evening of 31 August in Berlin is none of September, in UTC or not."""
    settings = load_settings(company).settings

    within = range_of_days(settings, date(2026, 9, 1), date(2026, 9, 30))

    assert datetime(2026, 8, 31, 22, tzinfo=UTC) == within.since
    assert datetime(2026, 9, 30, 22, tzinfo=UTC) == within.until
    with pytest.raises(ConfigError, match="before it begins"):
        range_of_days(settings, date(2026, 9, 30), date(2026, 9, 1))


@pytest.mark.parametrize(
    ("at", "landed"),
    [("2026-08-31T21:59:59+00:00", 0), ("2026-08-31T22:00:00+00:00", 3)],
    ids=["the_evening_before", "the_first_midnight"],
)
def test_only_the_range_lands(company: Path, at: str, landed: int) -> None:
    """The clock of a row of a file is the file's."""
    deals = company.parent / "inbox" / "deals.csv"
    deals.write_text(deals.read_text().replace("EUR", "USD"))
    moment = datetime.fromisoformat(at).timestamp()
    os.utime(deals, (moment, moment))

    done = september(company)

    assert 0 == done.exit_code, done.output
    (report,) = json.loads(done.stdout)
    (stream,) = [one for one in report["streams"] if one["stream"] == "deals"]
    assert (3, landed) == (stream["seen"], stream["appended"])


def test_a_source_names_all_of_its_connections(company: Path) -> None:
    assert ["books"] == [
        one["connection"] for one in json.loads(september(company, "files").stdout)
    ]


def test_what_is_not_configured_is_a_fault_of_usage(company: Path) -> None:
    done = september(company, "boks")

    assert 2 == done.exit_code
    assert "books" in done.stderr


def test_a_sync_under_way_ends_it_with_4_and_the_holder(company: Path) -> None:
    """Two readers of one connection would spend its allowance twice."""
    with exclusive(company.parent / "data" / "state" / "books" / "sync.lock", "the connection"):
        done = september(company)

    assert 4 == done.exit_code
    assert "connection books is in use by process" in done.stderr
