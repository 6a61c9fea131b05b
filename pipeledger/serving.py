"""Read the published marts, as every reader does: through the link, read-only."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import duckdb

from connectors.base.errors import PipeledgerError
from pipeledger.publish import CURRENT, OF_RUNS
from pipeledger.settings import Settings


@contextmanager
def open_serving(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, read-only and in UTC.

    Raises:
        PipeledgerError: nothing has been published yet.
    """
    current = settings.paths.serving / CURRENT
    if not current.exists():
        raise PipeledgerError(f"nothing is published below {current.parent}: run `pipeledger run`")
    # Resolved: one process that opens the link twice would get the old instance again.
    db = duckdb.connect(str(current.resolve()), read_only=True)
    try:
        db.execute("set timezone = 'UTC'")
        yield db
    finally:
        db.close()


@contextmanager
def held_open(settings: Settings) -> Iterator[None]:
    """Keep what is published open, if anything is: who opens it meanwhile need not wait for it."""
    is_published = (settings.paths.serving / CURRENT).exists()
    with open_serving(settings) if is_published else nullcontext():
        yield


def published(settings: Settings) -> Mapping[str, Any] | None:
    """The row of meta.builds that readers see; None before the first publication."""
    current: Path = settings.paths.serving / CURRENT
    if not current.exists():
        return None
    with open_serving(settings) as db:
        return rows(db, "select * from meta.builds")[0]


def checksums(settings: Settings) -> dict[str, str]:
    """Checksum by mart of what readers see; empty before the first publication.

    Marts that log runs are left out: equal data has equal checksums in all others.
    """
    if not (settings.paths.serving / CURRENT).exists():
        return {}
    with open_serving(settings) as db:
        found = rows(db, "select mart, checksum from meta.marts")
    return {row["mart"]: row["checksum"] for row in found if row["mart"] not in OF_RUNS}


def rows(
    db: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries."""
    cursor = db.execute(sql, list(parameters))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def headlines(settings: Settings) -> dict[str, Any]:
    """The three numbers that a sales leader asks for first.

    Quota gap of the current fiscal quarter (company, revenue credit, bookings unless only other
    measures have quotas), won but unbilled and beyond grace (deals and value), stalled open
    deals; amounts in reporting currency.
    """
    with open_serving(settings) as db:
        gap = rows(
            db,
            "select period_key, quota_rc, won_rc, gap_rc, attainment from marts.mart_quota_gap "
            "where period_grain = 'quarter' and is_current_period and scope_type = 'company' "
            "and credit_type = 'revenue' order by measure <> 'bookings', measure limit 1",
        )
        unbilled = rows(
            db,
            "select count(*) as deals, coalesce(sum(booked_net_rc), 0) as booked_rc "
            "from marts.mart_deal_billing_recon where billing_status = 'unbilled_late'",
        )
        stalled = rows(
            db,
            "select count(*) as deals, coalesce(sum(amount_rc), 0) as amount_rc "
            "from marts.mart_deal_health where is_stalled",
        )
        currency = rows(db, "select reporting_currency from meta.builds")
    return {
        "reporting_currency": currency[0]["reporting_currency"],
        "quota_gap": gap[0] if gap else None,
        "won_unbilled": unbilled[0],
        "stalled": stalled[0],
    }
