"""Close: a period's published figures are frozen in landing, once, and only when they may be."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner, Result

from pipeledger.build import BuildReport, Failure
from pipeledger.cli import app
from pipeledger.landing import Landing
from pipeledger.landing.closes import Closes
from pipeledger.locks import exclusive
from pipeledger.project import ROOT
from pipeledger.settings import load_settings
from pipeledger.warehouse import Inputs, open_warehouse, prepare

SETTINGS = """clock = "2026-09-03T06:00:00Z"
[company]
time_zone = "Europe/Berlin"
reporting_currency = "EUR"
[sources.files.plan]
folder = "inbox"
[sources.files.plan.tables.users]
path = "users.csv"
"""
BUILD = "20260902T060000000000-aaaa"
IN_TIME = "2026-08-31 22:00:00+00"
"""The instant at which August is over in Berlin."""
COLUMNS = (
    "period_figure_key, period_key, metric, measure, scope_type, scope_key, record_type, "
    "record_key, currency_code, amount_amt, record_amt, credited_amt, value_rc"
)


def published(folder: Path, *, as_of: str = IN_TIME, won: str = "17990000000000.01") -> None:
    """A publication by hand, of one deal and one payment of August."""
    serving = folder / "data" / "serving"
    serving.mkdir(parents=True, exist_ok=True)
    path = serving / f"{BUILD}.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("create schema marts")
        db.execute("create schema meta")
        db.execute(
            "create table meta.builds as select ? as build_id, cast(? as timestamptz) as as_of, "
            "'EUR' as reporting_currency",
            [BUILD, as_of],
        )
        db.execute(
            "create table meta.source_status as select 'stripe' as source, 'main' as connection, "
            "'invoices' as stream, timestamptz '2026-08-30 06:00:00+00' as complete_at"
        )
        db.execute(
            "create table marts.dim_fiscal_period as select * from (values "
            "('M08', 'month', date '2026-08-01', date '2026-08-31'), "
            "('W35', 'week', date '2026-08-24', date '2026-08-30'), "
            "('M01', 'month', date '2026-01-01', date '2026-01-31')) "
            "as p(period_key, grain, start_date, end_date)"
        )
        db.execute(
            "create table marts.fct_period_figure as select * from (values "
            "('a', 'M08', 'won', 'bookings', 'company', 'company', 'deal', 'd', 'USD', "
            f"20000000000000.0, 20000000000000.0, null, {won}), "
            "('b', 'M08', 'paid', 'all', 'company', 'company', 'payment', 'p', null, "
            "null, null, null, 4.5), "
            "('c', 'M08', 'won', 'bookings', 'user', 'ana', 'deal', 'd', 'USD', 1, 1, null, 2), "
            "('d', 'M07', 'won', 'bookings', 'company', 'company', 'deal', 'e', 'EUR', 1, 1, "
            f"null, 1)) as f({COLUMNS})"
        )
    current = serving / "current.duckdb"
    current.unlink(missing_ok=True)
    current.symlink_to(path.name)


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Settings of a company that has published August; returns the settings file."""
    path = tmp_path / "pipeledger.toml"
    (tmp_path / "inbox").mkdir()
    path.write_text(SETTINGS)
    published(tmp_path)
    return path


def call(path: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["close", *words, "--config", str(path)])


def closed(path: Path, *words: str) -> dict[str, Any]:
    result = call(path, *words, "--json")
    assert 0 == result.exit_code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def listed(path: Path) -> list[dict[str, Any]]:
    result = call(path, "--list", "--json")
    assert 0 == result.exit_code, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def as_built(path: Path, now: str) -> tuple[list[Any], list[Any]]:
    """The closes and frozen figures that a build of that instant reads."""
    settings = load_settings(path).settings
    landing = Landing(settings.paths.landing)
    inputs = Inputs(landing.pin(), [], datetime.fromisoformat(now), *Closes(landing.root).files())
    db = open_warehouse(path.parent / "built.duckdb")
    try:
        prepare(db, settings, inputs)
        return (
            db.execute(
                "select period_key, close_no, reason, currency_code from closed.periods "
                "order by all"
            ).fetchall(),
            db.execute(
                "select metric, scope_key, record_key, amount_amt, value_rc "
                "from closed.figures order by all"
            ).fetchall(),
        )
    finally:
        db.close()


def test_the_figures_of_the_period_are_frozen_to_the_cent(company: Path) -> None:
    """Sixteen digits: on the way to landing and back no amount is a float."""
    done = closed(company, "M08")

    periods, figures = as_built(company, "2026-09-03T06:00:00+00:00")
    assert [("M08", 1, None, "EUR")] == periods
    assert [
        ("paid", "company", "p", None, Decimal("4.5")),
        ("won", "ana", "d", Decimal(1), Decimal(2)),
        ("won", "company", "d", Decimal(20_000_000_000_000), Decimal("17990000000000.01")),
    ] == figures
    assert (BUILD, 3) == (done["build_id"], done["n_figures"])


def test_what_was_frozen_is_known_from_its_close_on(company: Path) -> None:
    """A report as of the day before shows what was known that day."""
    closed(company, "M08")

    assert [] == as_built(company, "2026-09-03T05:59:59+00:00")[0]


def test_it_says_the_companys_totals_and_what_was_not_read_since(company: Path) -> None:
    """Stripe was read before August was over: what it held of the last day is not in."""
    done = closed(company, "M08")
    told = call(company, "M08", "--again", "for people").stdout

    assert {"paid": "4.5000", "won (bookings)": "17990000000000.0100"} == {
        name: str(value) for name, value in done["totals"].items()
    }
    assert "stripe.invoices (main), last read whole at 2026-08-30 06:00 UTC" in done["unread"][0]
    assert "17,990,000,000,000.01" in told
    assert "not read whole since the period's end: stripe.invoices" in told


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("M09",), 2, "year M09; the last months that ended are M08, M01"),
        (("W35",), 2, "no fiscal month, quarter or year W35"),
        (("M01",), 1, "more than a hundred days"),
        (("M08", "--again", "late bill"), 1, "was not closed before"),
        (("M08", "--again", " "), 2, "needs the reason"),
        (("M08", "--list"), 2, "--list alone"),
        ((), 2, "--list alone"),
        (("M08", "--as-of", "yesterday"), 2, "--as-of yesterday"),
    ],
)
def test_what_cannot_be_closed_is_refused(
    company: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    """Each refusal says what would help, and leaves nothing behind."""
    result = call(company, *words)

    assert code == result.exit_code
    assert told in result.stderr
    assert [] == listed(company)


def test_a_period_that_had_not_ended_when_it_was_built_is_refused(company: Path) -> None:
    """A second before midnight in Berlin August could still grow."""
    published(company.parent, as_of="2026-08-31 21:59:59+00")

    result = call(company, "M08")

    assert 1 == result.exit_code
    assert "M08 ends on 2026-08-31, and the figures are as of 2026-08-31 21:59 UTC" in result.stderr


def test_a_closed_period_is_closed_again_only_with_a_reason_and_both_closes_stay(
    company: Path,
) -> None:
    """The auditor asks what was first reported, and who said it had to change."""
    closed(company, "M08")
    published(company.parent, won="5.00")

    refused = call(company, "M08")
    closed(company, "M08", "--again", "a bill came late")

    assert 1 == refused.exit_code
    assert "--again" in refused.stderr
    assert [(1, None), (2, "a bill came late")] == [
        (one["close_no"], one["reason"]) for one in listed(company)
    ]
    _, figures = as_built(company, "2026-09-03T06:00:00+00:00")
    assert [Decimal("5.00"), Decimal("17990000000000.01")] == [
        row[4] for row in figures if row[:2] == ("won", "company")
    ]


def test_figures_that_failed_their_checks_are_not_frozen(company: Path) -> None:
    """The last good publication may be days old by then, and nobody would know."""
    state = company.parent / "data" / "state"
    state.mkdir(parents=True)
    failure = {"name": "b_01_gross_is_net_plus_tax", "severity": "error"}
    text = json.dumps({"state": "checks_failed", "build": {"failures": [failure]}})
    (state / "last_build.json").write_text(text)

    result = call(company, "M08")

    assert 3 == result.exit_code
    assert "b_01_gross_is_net_plus_tax" in result.stderr
    assert [] == listed(company)


def test_as_of_a_day_is_built_for_the_close(company: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen on the third as known at the end of the second."""
    asked = []

    def built(_settings: Any, *, as_of: datetime) -> BuildReport:
        asked.append(as_of)
        serving = company.parent / "data" / "serving"
        return BuildReport("as-of-build", as_of, (serving / "current.duckdb").resolve())

    monkeypatch.setattr("pipeledger.close.build_and_note", built)

    done = closed(company, "M08", "--as-of", "2026-09-02")

    assert [datetime(2026, 9, 2, 22, tzinfo=UTC)] == asked
    assert ("as-of-build", "2026-09-02 22:00:00+00:00") == (done["build_id"], done["seen_to"])


def test_as_of_a_day_whose_checks_fail_nothing_is_frozen(
    company: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that was made for the close alone is held to the same checks."""
    wrong = Failure("b_04_balance_equals_the_sources_own", "error", 1, "one")
    report = BuildReport("as-of-build", datetime(2026, 9, 2, 22, tzinfo=UTC), company)
    report.failures.append(wrong)
    monkeypatch.setattr("pipeledger.close.build_and_note", lambda *_, **__: report)

    result = call(company, "M08", "--as-of", "2026-09-02")

    assert 3 == result.exit_code
    assert wrong.name in result.stderr
    assert [] == listed(company)


def test_two_at_once_do_not_close_a_period_twice(company: Path) -> None:
    """Two people press the button on the same morning."""
    with exclusive(company.parent / "data" / "state" / "close.lock", "the test"):
        result = call(company, "M08")

    assert 4 == result.exit_code
    assert [] == listed(company)


@pytest.mark.slow
def test_a_close_that_is_killed_between_its_two_commits_is_none(company: Path) -> None:
    """Half a close must neither count nor be added to the one that follows."""
    killed = subprocess.run(
        [sys.executable, "-m", "pipeledger", "close", "M08", "--config", str(company)],
        cwd=ROOT,
        env={**os.environ, "PIPELEDGER_CRASH_AT": "before-close"},
        capture_output=True,
        check=False,
    )
    before = listed(company)
    done = closed(company, "M08")

    assert -signal.SIGKILL == killed.returncode
    assert [] == before
    assert 1 == done["close_no"]
    settings = load_settings(company).settings
    periods, figures = Closes(settings.paths.landing).files()
    with duckdb.connect(":memory:") as db:
        found = db.execute(
            "select count(*), count(*) filter (close_id in "
            "(select close_id from read_parquet(?))) from read_parquet(?)",
            [periods, figures],
        ).fetchone()
    assert (6, 3) == found


def test_closes_whose_files_are_torn_are_not_taken_for_none(company: Path) -> None:
    """No source holds them: the way out is the backup, not `state rebuild`."""
    closed(company, "M08")
    folder = company.parent / "data" / "landing" / "_closed_periods"
    next(folder.glob("*.parquet")).unlink()

    result = call(company, "--list")

    assert 2 == result.exit_code
    assert "from a backup" in result.stderr
    assert "state rebuild" not in result.stderr


def test_without_any_close_the_list_says_so(company: Path) -> None:
    """An empty screen is no answer."""
    assert "no period is closed" in call(company, "--list").stdout


def test_the_list_shows_who_said_what_when(company: Path) -> None:
    """What a person reads on a terminal."""
    closed(company, "M08")

    told = call(company, "--list").stdout

    assert "M08" in told
    assert "2026-09-03 06:00" in told
