"""Close: freeze the figures of a fiscal period as they were published.

    serving: fct_period_figure of one period -> landing: _closed_figures, then _closed_periods

Every later build shows them beside what the same figures are by then (fct_period_close).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from connectors.base.errors import ConfigError, PipeledgerError
from pipeledger.clock import new_sync_id
from pipeledger.landing.closes import FIGURES, Close, Closes
from pipeledger.locks import exclusive
from pipeledger.pipeline import build_and_note, clock_of, last_build
from pipeledger.publish import CURRENT, ChecksFailedError
from pipeledger.serving import rows
from pipeledger.settings import Settings

GRAINS = ("month", "quarter", "year")


def close_period(
    settings: Settings, period_key: str, *, as_of: datetime | None = None, again: str | None = None
) -> dict[str, Any]:
    """Freeze a period's figures.

    Args:
        settings: the settings.
        period_key: the fiscal period, such as FY2027-M08.
        as_of: freeze what was known at this instant, built now in a file of its own; the last
            publication if None.
        again: why a period that is closed already is closed again.

    Returns:
        The close, its ``totals`` of the company by metric, and ``unread``: streams that had not
        been read whole since the period's end.

    Raises:
        ConfigError: no such period of the calendar, or not a month, quarter or year.
        ChecksFailedError: checks of severity error fail.
        PipeledgerError: the figures are not as of the period's end or later, the period is
            closed, or was never closed and yet is to be closed again.
    """
    if again is not None and not again.strip():
        raise ConfigError("--again needs the reason, which the close keeps")
    closes = Closes(settings.paths.landing)
    with exclusive(settings.paths.state / "close.lock", "the closing of periods"):
        before = [one for one in closes.all() if one.period_key == period_key]
        _refuse_twice(period_key, before, again)
        with _figures(settings, as_of) as db:
            period, build = _period(db, settings, period_key)
            found = _frozen(db, period_key)
            unread = _unread(db, settings, period["end_date"])
        close = Close(
            close_id=f"{period_key}:{new_sync_id()}",
            period_key=period_key,
            period_grain=period["grain"],
            start_date=period["start_date"],
            end_date=period["end_date"],
            close_no=len(before) + 1,
            reason=again,
            currency_code=build["reporting_currency"],
            build_id=build["build_id"],
            n_figures=found.num_rows,
            seen_to=build["as_of"],
            closed_at=clock_of(settings)(),
        )
        closes.append(close, found)
    return {**asdict(close), "totals": _totals(found), "unread": unread}


def closed_periods(settings: Settings) -> list[dict[str, Any]]:
    """Every close, by the period's last day and its number."""
    return [asdict(one) for one in Closes(settings.paths.landing).all()]


def _refuse_twice(period_key: str, before: list[Close], again: str | None) -> None:
    if before and again is None:
        raise PipeledgerError(
            f"{period_key} was closed at {before[-1].closed_at:%Y-%m-%d %H:%M} UTC. To freeze it "
            "anew say why: --again 'the reason'. Both closes are kept."
        )
    if again is not None and not before:
        raise PipeledgerError(f"{period_key} was not closed before: leave --again out")


@contextmanager
def _figures(settings: Settings, as_of: datetime | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file to freeze from, with the row of its build as the table ``build``."""
    if as_of is not None:
        report = build_and_note(settings, as_of=as_of)
        if report.errors:
            raise _failed([one.name for one in report.errors])
        built = (report.build_id, report.as_of, settings.company.reporting_currency)
        with _opened(report.warehouse) as db:
            db.execute(
                "create temp table build (build_id varchar, as_of timestamptz, "
                "reporting_currency varchar)"
            )
            db.execute("insert into build values (?, ?, ?)", built)
            yield db
        return
    newest = last_build(settings)
    if newest is not None and newest["state"] == "checks_failed":
        failures = newest["build"]["failures"]
        raise _failed([one["name"] for one in failures if one["severity"] == "error"])
    current: Path = settings.paths.serving / CURRENT
    if not current.exists():
        raise PipeledgerError(f"nothing is published below {current.parent}: run `pipeledger run`")
    with _opened(current.resolve()) as db:
        db.execute("create temp view build as from meta.builds")
        yield db


def _failed(names: list[str]) -> ChecksFailedError:
    return ChecksFailedError(
        f"{len(names)} check(s) of severity error fail ({', '.join(names[:5])}), and figures known "
        "to be wrong are not frozen. See `pipeledger status`, mend the source, and publish."
    )


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(path), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        marts = rows(db, "select 1 from duckdb_tables() where table_name = 'fct_period_figure'")
        if not marts:
            raise PipeledgerError(
                "the publication is of an earlier release and holds no figures to freeze: run "
                "`pipeledger publish` first"
            )
        yield db


def _period(
    db: duckdb.DuckDBPyConnection, settings: Settings, period_key: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The period and the build, if the one can be closed from the other.

    Raises:
        ConfigError: there is no such period, or it is a week.
        PipeledgerError: it had not ended then, or ended too long before.
    """
    found = rows(
        db,
        "select period_key, grain, start_date, end_date from marts.dim_fiscal_period "
        "where period_key = ?",
        [period_key],
    )
    (build,) = rows(db, "select * from build")
    if not found or found[0]["grain"] not in GRAINS:
        raise ConfigError(_unknown(db, settings, period_key, build["as_of"]))
    period = found[0]
    ends_at = _end_of(period["end_date"], settings)
    if build["as_of"] < ends_at:
        known = f"{build['as_of']:%Y-%m-%d %H:%M} UTC"
        raise PipeledgerError(
            f"{period_key} ends on {period['end_date']}, and the figures are as of {known}. "
            "Publish after its end (`pipeledger run`), or name a later day with --as-of."
        )
    offered = rows(
        db,
        "select period_key from marts.fct_period_figure where period_key = ? limit 1",
        [period_key],
    )
    if not offered and build["as_of"] - ends_at > timedelta(days=100):
        raise PipeledgerError(
            f"{period_key} ended on {period['end_date']}, more than a hundred days before the "
            "published build, which no longer holds its figures. Name the day as of which to "
            "freeze it: --as-of 2026-09-03."
        )
    return period, build


def _unknown(
    db: duckdb.DuckDBPyConnection, settings: Settings, period_key: str, as_of: datetime
) -> str:
    months = rows(
        db,
        "select period_key, end_date from marts.dim_fiscal_period where grain = 'month' "
        "order by end_date desc",
    )
    ended = [one["period_key"] for one in months if _end_of(one["end_date"], settings) <= as_of]
    return (
        f"there is no fiscal month, quarter or year {period_key}; the last months that ended are "
        f"{', '.join(ended[:3])}"
    )


def _end_of(day: date, settings: Settings) -> datetime:
    """The instant at which a business day is over in the company's zone."""
    zone = ZoneInfo(settings.company.time_zone)
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def _frozen(db: duckdb.DuckDBPyConnection, period_key: str) -> pa.Table:
    names = ", ".join(name for name in FIGURES.names if name != "close_id")
    return db.sql(
        f"select {names} from marts.fct_period_figure where period_key = ? "  # noqa: S608 - our names
        "order by period_figure_key",
        params=[period_key],
    ).to_arrow_table()


def _unread(db: duckdb.DuckDBPyConnection, settings: Settings, end_date: date) -> list[str]:
    found = rows(
        db,
        "select source, stream, connection, complete_at from meta.source_status "
        "where complete_at is null or complete_at < ? order by all",
        [_end_of(end_date, settings)],
    )
    return [
        f"{row['source']}.{row['stream']} ({row['connection']})"
        + (f", last read whole at {at:%Y-%m-%d %H:%M} UTC" if (at := row["complete_at"]) else "")
        for row in found
    ]


def _totals(found: pa.Table) -> dict[str, Any]:
    with duckdb.connect(":memory:") as db:
        db.register("figures", found)
        total = db.execute(
            "select if(measure = 'all', metric, concat(metric, ' (', measure, ')')) as name, "
            "cast(sum(value_rc) as decimal(18, 4)) from figures "
            "where scope_type = 'company' group by all order by all"
        ).fetchall()
    return dict(total)
