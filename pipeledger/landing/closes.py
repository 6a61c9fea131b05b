"""Closed periods: figures that were frozen, kept in landing because no rebuild can make them again.

Two Delta tables beside the streams, appended to and never changed: ``_closed_figures`` holds one
row per close and figure, ``_closed_periods`` one row per close. The figures commit first: a close
that was killed between the two is none, and its figures are read by nobody.
"""

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime

import duckdb
import pyarrow as pa

from connectors.base.errors import ConfigError
from pipeledger.crash import crash_point
from pipeledger.landing.tables import (
    INSTANT,
    AppendTable,
    OtherFormatError,
    files_of,
    open_table,
)

_MONEY = pa.decimal128(18, 4)
PERIODS = pa.schema(
    [
        *[pa.field(name, pa.string(), nullable=False) for name in ("close_id", "period_key")],
        pa.field("period_grain", pa.string(), nullable=False),
        *[pa.field(name, pa.date32(), nullable=False) for name in ("start_date", "end_date")],
        pa.field("close_no", pa.int64(), nullable=False),
        pa.field("reason", pa.string()),
        *[pa.field(name, pa.string(), nullable=False) for name in ("currency_code", "build_id")],
        pa.field("n_figures", pa.int64(), nullable=False),
        *[pa.field(name, INSTANT, nullable=False) for name in ("seen_to", "closed_at")],
    ]
)
FIGURES = pa.schema(
    [
        *[pa.field(name, pa.string(), nullable=False) for name in ("close_id", "metric")],
        *[pa.field(name, pa.string(), nullable=False) for name in ("measure", "scope_type")],
        *[pa.field(name, pa.string(), nullable=False) for name in ("scope_key", "record_type")],
        pa.field("record_key", pa.string(), nullable=False),
        pa.field("currency_code", pa.string()),
        *[pa.field(name, _MONEY) for name in ("amount_amt", "record_amt", "credited_amt")],
        pa.field("value_rc", _MONEY, nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Close:
    """One close of a fiscal period.

    ``seen_to`` is the instant up to which the frozen build knew the sources, ``currency_code``
    the reporting currency of its figures, ``reason`` why the period was closed again.
    """

    close_id: str
    period_key: str
    period_grain: str
    start_date: date
    end_date: date
    close_no: int
    reason: str | None
    currency_code: str
    build_id: str
    n_figures: int
    seen_to: datetime
    closed_at: datetime


class Closes:
    """The closes in a landing folder."""

    def __init__(self, root: str) -> None:
        self._periods = AppendTable(f"{root}/_closed_periods", PERIODS)
        self._figures = AppendTable(f"{root}/_closed_figures", FIGURES)

    def append(self, close: Close, figures: pa.Table) -> None:
        """Keep a close with its figures, whose columns are those of ``FIGURES`` but the id."""
        ids = pa.array([close.close_id] * figures.num_rows, pa.string())
        names = [name for name in FIGURES.names if name != "close_id"]
        rows = figures.select(names).add_column(0, "close_id", ids).cast(FIGURES)
        self._figures.append(rows)
        crash_point("before-close")
        self._periods.append(pa.Table.from_pylist([asdict(close)], schema=PERIODS))

    def files(self) -> tuple[list[str], list[str]]:
        """The files of both tables, periods first, so that a close has all its figures.

        Raises:
            ConfigError: one is missing or torn; no source can tell it again.
        """
        return _files(self._periods.uri), _files(self._figures.uri)

    def all(self) -> list[Close]:
        """Every close, by the period's last day and its number."""
        found, _ = self.files()
        if not found:
            return []
        names = [one.name for one in fields(Close)]
        with duckdb.connect(":memory:") as db:
            db.execute("set timezone = 'UTC'")
            rows = db.execute(
                f"select {', '.join(names)} from read_parquet(?, hive_partitioning = false) "  # noqa: S608 - our names
                "order by end_date, period_key, close_no",
                [found],
            ).fetchall()
        return [Close(*row) for row in rows]


def _files(uri: str) -> list[str]:
    try:
        table = open_table(uri)
        return [] if table is None else files_of(table)
    except OtherFormatError:
        raise  # sound, and its message tells the way out
    except ConfigError as error:
        raise ConfigError(
            f"the closed periods below {uri} cannot be read. Restore that folder from a backup: "
            f"no source holds what was frozen. ({str(error).partition('. ')[0]})"
        ) from error
