"""The private warehouse file: raw views over pinned landing files, settings as tables.

One writer, nobody's to open but the build. It can always be made again from landing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import structlog

from pipeledger.calendar import fiscal_periods
from pipeledger.empty_warehouse import RAW_COLUMNS, declared_relations
from pipeledger.kept import basis_of, hand_over_built_deals, keep_only_of
from pipeledger.landing import Checkpoint, Pin
from pipeledger.locks import LockHeldError
from pipeledger.schema_drift import Drift, drifts, note_fields
from pipeledger.settings import Settings
from pipeledger.sql import insert, literal

_log = structlog.get_logger(__name__)
VERSION_ID = "concat_ws(':', '{name}', connection, record_id, sync_id, cast(position as varchar))"
SYNC_RUNS: Mapping[str, str] = {
    "source": "VARCHAR",
    "connection": "VARCHAR",
    "stream": "VARCHAR",
    "sync_id": "VARCHAR",
    "state": "VARCHAR",
    "seen": "BIGINT",
    "appended": "BIGINT",
    "requests": "BIGINT",
    "bytes": "BIGINT",
    "started_at": "TIMESTAMPTZ",
    "at": "TIMESTAMPTZ",
    "error": "VARCHAR",
    "quarantined": "BIGINT",
    "vendor_total": "BIGINT",
    "removed": "BIGINT",
    "live_records": "BIGINT",
    "oldest_updated_at": "TIMESTAMPTZ",
    "newest_updated_at": "TIMESTAMPTZ",
    "schema_drift": "VARCHAR",
    "mapped_drift": "VARCHAR",
}
BUILD_INPUTS: Mapping[str, str] = {
    "source": "VARCHAR",
    "stream": "VARCHAR",
    "delta_version": "BIGINT",
    "n_files": "BIGINT",
    "n_rows": "BIGINT",
}
SOURCE_STATUS: Mapping[str, str] = {
    "source": "VARCHAR",
    "connection": "VARCHAR",
    "stream": "VARCHAR",
    "state": "VARCHAR",
    "complete_at": "TIMESTAMPTZ",
    "last_sync_at": "TIMESTAMPTZ",
    "error": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a build reads: pinned streams, the checkpoints known by then, files of the closes."""

    pins: Mapping[tuple[str, str], Pin]
    checkpoints: Sequence[Checkpoint]
    as_of: datetime
    closed_periods: Sequence[str] = ()
    closed_figures: Sequence[str] = ()


def open_warehouse(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the file for writing, in UTC.

    A file that is damaged, or of a DuckDB that this one cannot read, is made anew: it holds
    nothing that landing does not hold.

    Raises:
        LockHeldError: another program has the file open; names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        db = duckdb.connect(str(path))
    except duckdb.Error as error:
        text = " ".join(str(error).split())
        if "Conflicting lock" in text or "Could not set lock" in text:
            raise LockHeldError(
                f"the warehouse file is open in another program. Close it and run again: nobody "
                f"but a build opens it, readers open serving/current.duckdb. {text}"
            ) from None
        if "Permission denied" in text or not path.exists():
            raise
        _log.warning("warehouse_made_anew", path=str(path), reason=text[:300])
        for broken in (path, path.with_name(f"{path.name}.wal")):
            broken.unlink(missing_ok=True)
        db = duckdb.connect(str(path))
    db.execute("set timezone = 'UTC'")
    return db


def prepare(db: duckdb.DuckDBPyConnection, settings: Settings, inputs: Inputs) -> None:
    """Make the schemas raw, closed, config, meta and state for one build."""
    keep_only_of(db, basis_of(dbt_vars(settings), VERSION_ID))
    hand_over_built_deals(db)
    # As one transaction: some two hundred small ones wait for the disk two hundred times.
    db.execute("begin")
    # Asking the catalogue what stands there has DuckDB bind every view, and open its files.
    for schema in ("raw", "closed"):
        db.execute(f"drop schema if exists {schema} cascade")
    for schema in ("raw", "closed", "config", "meta"):
        db.execute(f"create schema if not exists {schema}")
    _raw_views(db, inputs)
    _closed_views(db, inputs)
    _config_tables(db, settings, inputs.as_of)
    _meta_tables(db, inputs)
    db.execute("commit")


def _raw_views(db: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """One view per declared stream over exactly the pinned files, none younger than the as-of."""
    for schema, table, columns in declared_relations():
        if schema != "raw":
            continue
        source, _, stream = table.partition("__")
        pin = inputs.pins.get((source, stream))
        if pin is None or not pin.files:
            typed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            db.execute(f'create table raw."{table}" ({typed})')
            continue
        files = ", ".join(literal(name) for name in pin.files)
        landed = ", ".join(f'"{name}"' for name in RAW_COLUMNS if name != "raw_version_id")
        version = VERSION_ID.format(name=table)
        db.execute(
            f'create view raw."{table}" as select {landed}, {version} as raw_version_id '  # noqa: S608 - our names
            f"from read_parquet([{files}], hive_partitioning = true, "
            "hive_types = {'connection': VARCHAR}) "
            f"where observed_at <= cast({literal(inputs.as_of.isoformat())} as timestamptz)"
        )


def _closed_views(db: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """What was frozen up to the as-of, over the files in landing."""
    pinned = {"periods": inputs.closed_periods, "figures": inputs.closed_figures}
    for schema, table, columns in declared_relations():
        if schema != "closed":
            continue
        if not pinned[table]:
            fill(db, schema, table, columns, [])
            continue
        names = ", ".join(f'"{name}"' for name in columns)
        files = ", ".join(literal(name) for name in pinned[table])
        known = f"closed_at <= cast({literal(inputs.as_of.isoformat())} as timestamptz)"
        db.execute(
            f'create view closed."{table}" as select {names} '  # noqa: S608 - our names
            f"from read_parquet([{files}], hive_partitioning = false) "
            f"where {known if 'closed_at' in columns else 'true'}"
        )


def _config_tables(db: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime) -> None:
    """The settings as the tables that dbt's source ``config`` declares."""
    company = settings.company
    first = (as_of - timedelta(days=365 * 12)).date()
    last = (as_of + timedelta(days=365 * 4)).date()
    periods = fiscal_periods(company.fiscal_year.calendar(), first, last)
    rows: dict[str, list[tuple[Any, ...]]] = {
        "company": [(company.name, company.reporting_currency, company.time_zone)],
        "fiscal_periods": [
            (
                *(one.period_key, one.grain, one.label, one.start_date, one.end_date),
                *(one.fiscal_year, one.fiscal_quarter, one.fiscal_month, one.is_53rd_week_year),
            )
            for one in periods
        ],
        "holidays": [(day, name) for name, day in company.holidays.items()],
        "stages": [
            (
                *(rule.connection, rule.pipeline_id, rule.stage_id),
                *(_pipeline_name(settings, rule.connection, rule.pipeline_id), rule.name),
                *(rule.order, rule.type, rule.probability),
                *(rule.forecast_category, rule.rotten_days),
            )
            for rule in settings.stages
        ],
        "pipelines": [
            (
                *(rule.connection, rule.pipeline_id, rule.measure),
                *(rule.is_excluded, rule.first_qualified_stage_id),
            )
            for rule in settings.pipelines
        ],
        "pipeline_teams": [
            (rule.connection, rule.pipeline_id, team)
            for rule in settings.pipelines
            for team in rule.teams
        ],
        "own_domains": [(domain,) for domain in company.own_domains],
        "loss_reasons_excluded": [(one,) for one in settings.deals.loss_reasons_excluded],
        "deal_exclusions": [(rule.field, rule.pattern) for rule in settings.deals.exclude],
        "duplicate_deals": [(one.deal, one.duplicate_of) for one in settings.deals.duplicates],
        "superseded_invoices": [
            (one.invoice, one.connection, one.by) for one in settings.billing.superseded
        ],
        "stale_after": [
            (one.source, one.name, stream.name, settings.schedule.stale_hours(one.source))
            for one in settings.connections
            for stream in one.connector.streams
            if one.connector.active is None or stream.name in one.connector.active(one.settings)
        ],
        "connections": [
            (
                one.source,
                one.name,
                one.home_currency or company.reporting_currency,
                getattr(one.settings, "store_bodies", False),
            )
            for one in settings.connections
        ],
    }
    for schema, table, columns in declared_relations():
        if schema == "config":
            fill(db, "config", table, columns, rows.get(table, []))


def _pipeline_name(settings: Settings, connection: str, pipeline_id: str) -> str | None:
    for rule in settings.pipelines:
        if (rule.connection, rule.pipeline_id) == (connection, pipeline_id):
            return rule.name
    return None


def _meta_tables(db: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    known = [row for row in inputs.checkpoints if row.at <= inputs.as_of]
    ends: dict[tuple[str, str, str, str], Checkpoint] = {}
    for row in known:
        ends[row.source, row.connection, row.stream, row.sync_id] = row
    live, brought = _live_records(db, inputs), _brought(db, inputs)
    nothing = _Brought()
    runs: list[tuple[Any, ...]] = []
    for row in ends.values():
        news = brought.get((row.source, row.stream, row.connection, row.sync_id), nothing)
        runs.append(
            (
                *(row.source, row.connection, row.stream, row.sync_id, row.state),
                *(row.seen, row.appended, row.requests, row.bytes),
                *(row.started_at, row.at, row.error),
                *(row.quarantined, row.vendor_total, news.removed),
                live.get((row.source, row.stream, row.connection), 0),
                *(news.oldest, news.newest),
                *(", ".join(news.drift.changes) or None, ", ".join(news.drift.mapped) or None),
            )
        )
    fill(db, "meta", "sync_runs", SYNC_RUNS, runs)
    newest: dict[tuple[str, str, str], Checkpoint] = {}
    complete: dict[tuple[str, str, str], datetime] = {}
    for row in known:
        key = (row.source, row.connection, row.stream)
        newest[key] = row
        if row.state == "complete":
            complete[key] = row.at
    fill(
        db,
        "meta",
        "source_status",
        SOURCE_STATUS,
        [(*key, row.state, complete.get(key), row.at, row.error) for key, row in newest.items()],
    )
    fill(
        db,
        "meta",
        "build_inputs",
        BUILD_INPUTS,
        [
            (pin.source, pin.stream, pin.version, len(pin.files), pin.rows)
            for pin in inputs.pins.values()
        ],
    )


def _live_records(
    db: duckdb.DuckDBPyConnection, inputs: Inputs
) -> Mapping[tuple[str, str, str], int]:
    """Live records by source, stream and connection, as the raw views show them."""
    live: dict[tuple[str, str, str], int] = {}
    known = {table for schema, table, _ in declared_relations() if schema == "raw"}
    for source, stream in inputs.pins:
        if f"{source}__{stream}" not in known:
            continue
        rows = db.execute(
            "select connection, count(*) filter (where newest not in ('deleted', 'merged')) from "  # noqa: S608 - our names
            "(select connection, record_id, max_by(change, (observed_at, sync_id, position)) "
            f'as newest from raw."{source}__{stream}" group by all) group by connection'
        ).fetchall()
        live |= {(source, stream, str(name)): int(count) for name, count in rows}
    return live


_NO_DRIFT = Drift()


@dataclass(frozen=True, slots=True)
class _Brought:
    """The news of one sync of a stream: tombstones, the span of its stamps, its fields."""

    removed: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    drift: Drift = _NO_DRIFT


def _brought(
    db: duckdb.DuckDBPyConnection, inputs: Inputs
) -> Mapping[tuple[str, str, str, str], _Brought]:
    """What each sync appended, by source, stream, connection and sync."""
    brought: dict[tuple[str, str, str, str], _Brought] = {}
    known = {table for schema, table, _ in declared_relations() if schema == "raw"}
    for source, stream in inputs.pins:
        if f"{source}__{stream}" not in known:
            continue
        rows = db.execute(
            "select connection, sync_id, count(*) filter (where change <> 'upsert'), "  # noqa: S608 - our names
            "count(payload) filter (where change = 'upsert'), "
            "min(source_updated_at), max(source_updated_at) "
            f'from raw."{source}__{stream}" group by all'
        ).fetchall()
        with_content = {(str(one), str(sync)): int(n) for one, sync, _, n, *_ in rows if n}
        note_fields(db, source, stream, with_content)
        drift = drifts(db, source, stream)
        brought |= {
            (source, stream, str(one), str(sync)): _Brought(
                int(removed), oldest, newest, drift.get((str(one), str(sync)), _NO_DRIFT)
            )
            for one, sync, removed, _, oldest, newest in rows
        }
    return brought


def fill(
    db: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Make a table anew and fill it."""
    typed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    db.execute(f'create or replace table {schema}."{table}" ({typed})')
    insert(db, f'{schema}."{table}"', rows)


def dbt_vars(settings: Settings) -> str:
    """What the settings tell the models, as the JSON text of variables that dbt takes."""
    thresholds = settings.thresholds.model_dump(mode="json")
    for name in ("recon_tolerance_pct", "recon_tolerance_units"):
        thresholds[name] = float(thresholds[name])
    return json.dumps(
        {
            "company_time_zone": settings.company.time_zone,
            "reporting_currency": settings.company.reporting_currency,
            "business_opens_second": _second_of_day(settings.company.business_hours.opens),
            "business_closes_second": _second_of_day(settings.company.business_hours.closes),
            "sources": settings.sources(),
            "attribution_touches": settings.attribution.touches,
            "attribution_half_life_days": settings.attribution.half_life_days,
            "rep_privacy_k": settings.reps.privacy_k,
            **thresholds,
        }
    )


def _second_of_day(clock: time) -> int:
    return clock.hour * 3_600 + clock.minute * 60 + clock.second
