"""Syncs, builds and whole runs as the command line shows them: tables, or one JSON value."""

import asyncio
import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import typer

from pipeledger.guard import FAILED, OK, PARTIAL

if TYPE_CHECKING:
    from pipeledger.build import BuildReport
    from pipeledger.publish import Publication
    from pipeledger.settings import Settings
    from pipeledger.sync import Range, SyncReport


def run_all(
    settings: "Settings",
    *,
    connections: list[str] | None = None,
    full: bool = False,
    allow_deletes: bool = False,
    as_json: bool = False,
) -> int:
    """Sync, build, check and publish, showing each step; returns the exit code."""
    from pipeledger.build import load_libraries, reading_ahead
    from pipeledger.pipeline import RunReport, build_and_note, publish_and_note

    report = RunReport()
    started = time.monotonic()
    # The libraries of the build take seconds to load: they do while the sync waits for vendors.
    threading.Thread(target=load_libraries, daemon=True).start()
    with reading_ahead(settings):
        report.syncs = run_syncs(
            settings, connections, None, full=full, allow_deletes=allow_deletes, quiet=as_json
        )
    report.seconds["sync"] = time.monotonic() - started
    if not as_json:
        show_sync_reports(report.syncs, as_json=False)
    report.build = build_and_note(settings, full=full)
    if not as_json:
        show_build_report(report.build, as_json=False)
    if not report.build.errors:
        started = time.monotonic()
        report.publication = publish_and_note(settings, report.build)
        report.seconds["publish"] = time.monotonic() - started
    if as_json:
        print_json(_run_values(report))
    elif report.publication is not None:
        rows = sum(report.publication.rows.values())
        typer.echo(
            f"published {len(report.publication.rows)} marts, {rows:,} rows "
            f"in {report.seconds['publish']:.1f} s: {report.publication.current}"
        )
        show_publication(report.publication)
    failed = report.publication is not None and show_exports(settings, as_json=as_json)
    return FAILED if failed and report.exit_code in (OK, PARTIAL) else report.exit_code


def show_exports(settings: "Settings", *, as_json: bool) -> int:
    """Write the scheduled exports of a publication and tell each; returns how many failed."""
    from pipeledger.scheduled_exports import write_exports

    done = write_exports(settings)
    for one in done:
        if one.error:
            typer.echo(f"pipeledger: export {one.path}: {one.error}", err=True)
        elif not as_json:
            typer.echo(f"wrote {one.path}: {one.rows:,} rows")
    return sum(1 for one in done if one.error)


def _run_values(report: Any) -> dict[str, Any]:
    from dataclasses import asdict

    publication = report.publication
    return {
        "exit_code": report.exit_code,
        "syncs": [asdict(one) for one in report.syncs],
        "build": asdict(report.build) if report.build is not None else None,
        "published": None if publication is None else str(publication.current),
        "checksums": {} if publication is None else dict(publication.checksums),
        "postgres": _second(publication),
        "seconds": report.seconds,
    }


def _second(publication: "Publication | None") -> dict[str, Any] | None:
    from dataclasses import asdict

    from connectors.base.redact import redact

    if publication is None or publication.postgres is None:
        return None
    values = asdict(publication.postgres)
    return {**values, "error": values["error"] and redact(values["error"])}


def show_publication(publication: "Publication") -> None:
    """What PostgreSQL has of it, where one is configured."""
    if publication.postgres is not None:
        from pipeledger.screens import show_postgres

        show_postgres(publication.postgres)


def run_syncs(
    settings: "Settings",
    connections: list[str] | None,
    streams: list[str] | None,
    *,
    full: bool,
    allow_deletes: bool,
    quiet: bool,
) -> "list[SyncReport]":
    """Sync the connections (all if None), with a live table unless quiet.

    Raises:
        ConfigError: a connection is not configured.
        KeyboardInterrupt: the sync was cancelled by a signal; what came is landed.
    """
    from connectors.base.errors import ConfigError
    from pipeledger.pipeline import sync_all
    from pipeledger.screens import sync_progress

    known = [connection.name for connection in settings.connections]
    unknown = sorted(set(connections or []) - set(known))
    if unknown:
        names = ", ".join(known) or "none"
        raise ConfigError(f"no connection {', '.join(unknown)}; there are: {names}")
    with sync_progress(is_shown=not quiet and sys.stderr.isatty()) as progress:
        try:
            return asyncio.run(
                sync_all(
                    settings,
                    connections=connections or None,
                    streams=streams or None,
                    full=full,
                    allow_deletes=allow_deletes,
                    progress=progress,
                )
            )
        except asyncio.CancelledError:  # SIGTERM, or Ctrl-C
            raise KeyboardInterrupt from None


def run_backfill(
    settings: "Settings",
    connections: list[str],
    streams: list[str] | None,
    within: "Range",
    *,
    quiet: bool,
) -> "list[SyncReport]":
    """Read a range of the connections again, with a live table unless quiet.

    Raises:
        KeyboardInterrupt: it was cancelled by a signal; what came is landed.
    """
    from pipeledger.pipeline import backfill_all
    from pipeledger.screens import sync_progress

    with sync_progress(is_shown=not quiet and sys.stderr.isatty()) as progress:
        try:
            return asyncio.run(
                backfill_all(
                    settings,
                    within,
                    connections=connections,
                    streams=streams or None,
                    progress=progress,
                )
            )
        except asyncio.CancelledError:  # SIGTERM, or Ctrl-C
            raise KeyboardInterrupt from None


def show_sync_reports(reports: "list[SyncReport]", *, as_json: bool) -> None:
    """Print a table of the streams and what to do about failures, or their JSON."""
    if as_json:
        from dataclasses import asdict

        print_json([asdict(report) for report in reports])
        return
    from pipeledger.screens import show_syncs

    show_syncs(reports)


def show_build_report(report: "BuildReport", *, as_json: bool) -> None:
    """Print models, checks and what failed, or the report's JSON."""
    if as_json:
        from dataclasses import asdict

        print_json(asdict(report))
        return
    from pipeledger.screens import show_build

    show_build(report)


def print_json(value: Any) -> None:
    """Print a value as JSON; instants and paths as text."""
    typer.echo(json.dumps(value, default=str, indent=2, ensure_ascii=False))
