"""What people read on a terminal: tables by rich, plain lines where there is none."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from connectors.base.redact import redact
from pipeledger.build import BuildReport, Failure
from pipeledger.erase import Erasure
from pipeledger.postgres.outcome import Outcome
from pipeledger.prune import Pruned
from pipeledger.sync import StreamReport, SyncReport

_EXCERPT = 200
# Where no terminal sets a width, lines are whole: they are read by grep and by logs.
_console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 160)
_errors = Console(stderr=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name.startswith("#") else "left")
    return table


@contextmanager
def sync_progress(*, is_shown: bool) -> Iterator[Callable[[StreamReport], None] | None]:
    """A live table of the running streams; nothing where no terminal looks on."""
    if not is_shown:
        yield None
        return
    reports: dict[tuple[str, str], StreamReport] = {}
    started = time.monotonic()

    def picture() -> Table:
        table = _table("connection", "stream", "state", "# seen", "# new", "# per s", "# left")
        elapsed = max(time.monotonic() - started, 0.001)
        for report in reports.values():
            left = "" if report.total is None else f"{max(report.total - report.seen, 0):,}"
            rate = f"{report.seen / elapsed:,.0f}"
            table.add_row(
                *(report.connection, report.stream, report.state),
                *(f"{report.seen:,}", f"{report.appended:,}", rate, left),
            )
        return table

    with Live(picture(), console=_errors, refresh_per_second=4, transient=True) as live:

        def show(report: StreamReport) -> None:
            reports[report.connection, report.stream] = report
            live.update(picture())

        yield show


def show_syncs(reports: Sequence[SyncReport]) -> None:
    """One line per stream that showed anything or failed, and what to do about failures."""
    table = _table("synced", "stream", "state", "# seen", "# new", "# requests", "# s")
    for report in reports:
        for one in report.streams:
            if not (one.seen or one.appended or one.note) and one.state == "complete":
                continue
            table.add_row(
                *(report.connection, one.stream, one.state),
                *(f"{one.seen:,}", f"{one.appended:,}", f"{one.requests:,}", f"{one.seconds:.1f}"),
            )
    _console.print(table)
    total = sum(one.appended for report in reports for one in report.streams)
    seen = sum(one.seen for report in reports for one in report.streams)
    _console.print(f"{seen:,} records seen, {total:,} new versions")
    for report in reports:
        for one in report.streams:
            if one.error:
                text = f"{one.source}.{one.stream} ({one.connection}): {one.error}"
                _console.print(text, style="red", markup=False, highlight=False)
            if one.note:
                text = f"{one.source}.{one.stream} ({one.connection}): {one.note}"
                _console.print(text, style="yellow", markup=False, highlight=False)
            if one.quarantined:
                _console.print(
                    f"{one.source}.{one.stream} ({one.connection}): {one.quarantined} "
                    "record(s) set aside in quarantine",
                    style="yellow",
                )


def show_build(report: BuildReport) -> None:
    """Models, checks and what failed, errors first."""
    seconds = ", ".join(f"{name} {value:.1f} s" for name, value in report.seconds.items())
    _console.print(
        f"built {report.models} models and ran {report.checks} checks as of "
        f"{report.as_of:%Y-%m-%d %H:%M} UTC ({seconds})"
    )
    _console.print(f"{len(report.errors)} errors, {len(report.warnings)} warnings")
    for failure in report.errors:
        _show_failure(failure, "red")
    for failure in report.warnings:
        _console.print(
            f"  warn {failure.name}: {failure.rows} row(s)", style="yellow", highlight=False
        )
    if report.errors:
        _console.print("not published: the last good publication stays in place", style="red")


def _show_failure(failure: Failure, style: str) -> None:
    _console.print(
        f"  {failure.severity} {failure.name}: {failure.rows} row(s). {failure.message}",
        style=style,
        markup=False,
        highlight=False,
    )
    for record in failure.records:
        _console.print(f"    {record}", markup=False, highlight=False)


def show_status(found: Mapping[str, Any]) -> None:
    """The publication, the newest build and the freshness of every stream."""
    published = found["published"]
    if published is None:
        _console.print("nothing is published yet")
    else:
        _console.print(
            f"published: build {published['build_id']}, as of {published['as_of']:%Y-%m-%d %H:%M} "
            f"UTC, {published['n_warnings']} warnings"
        )
    _show_postgres(found.get("postgres"))
    newest = found["last_build"]
    if newest is not None and newest["state"] != "published":
        _console.print(f"newest build: {newest['state']}, {newest['at']}", style="red")
        if newest.get("error"):
            _console.print(newest["error"], markup=False, highlight=False)
        for failure in newest.get("build", {}).get("failures", []):
            if failure["severity"] == "error":
                _show_failure(Failure(**failure), "red")
    table = _table("connection", "stream", "state", "last complete", "# age h", "")
    for one in found["streams"]:
        done = one["complete_at"]
        table.add_row(
            one["connection"],
            one["stream"],
            one["state"],
            "never" if done is None else f"{done:%Y-%m-%d %H:%M}",
            "" if one["age_hours"] is None else f"{one['age_hours']:,}",
            one["error"] or ("stale" if one["is_stale"] else ""),
        )
    _console.print(table)
    if found["quarantined"]:
        _console.print(f"{found['quarantined']} record(s) in quarantine", style="yellow")


def _show_postgres(noted: Mapping[str, Any] | None) -> None:
    if noted is None:
        return
    build = noted["build_id"] or "none of this machine"
    if noted["is_current"]:
        _plain(f"PostgreSQL: the same build, since {noted['published_at']}")
        return
    _console.print(
        f"PostgreSQL: ANOTHER build, {build}. `pipeledger publish` brings it up", style="red"
    )
    if noted["error"]:
        _plain(f"  {noted['error']}")


def show_postgres(outcome: Outcome) -> None:
    """What a publication wrote in PostgreSQL, or why its last build stays."""
    for note in outcome.notes:
        _console.print(f"PostgreSQL: {note}", style="yellow", markup=False)
    if outcome.error is None:
        _plain(f"PostgreSQL: {len(outcome.rewritten)} marts written, {outcome.equal} stood already")
        return
    _errors.print(
        f"PostgreSQL keeps its last build: {redact(outcome.error)}. The serving file has the new "
        "one; `pipeledger publish` brings PostgreSQL up",
        style="red",
        markup=False,
    )


def show_doctor(found: Sequence[Mapping[str, Any]]) -> None:
    """Per connection: who we are there, what is missing and what is needless."""
    for one in found:
        style = "green" if one["ok"] else "red"
        _console.print(f"{one['source']}.{one['connection']}: {one['account']}", style=style)
        for line in one["lines"]:
            _console.print(f"  {line}", markup=False, highlight=False)


def show_erasure(done: Erasure) -> None:
    """What was rewritten, and what a search of everything still found."""
    verb = "would be rewritten" if done.is_dry_run else "rewritten"
    for name, count in done.rows.items():
        _plain(f"{name}: {count} landed row(s) {verb}")
    if not done.rows:
        _plain("no landed row names the subject")
    if done.build_id is not None:
        _plain(f"published anew: build {done.build_id}; older publications are gone")
    _plain(f"searched {done.searched} files: found in {len(done.found)} place(s)")
    for place, hits in done.found.items():
        style = None if done.is_dry_run else "red"
        _console.print(f"  {place}: {hits}", style=style, markup=False, highlight=False)
    for place, hits in done.inbox_found.items():
        _console.print(
            f"  yours to mend, in the inbox: {place}: {hits}",
            style="yellow",
            markup=False,
            highlight=False,
        )
    for place, hits in done.names_found.items():
        _console.print(
            f"  the same name, perhaps another person's, in {place}: {hits}",
            style="yellow",
            markup=False,
            highlight=False,
        )


def show_pruned(done: Pruned) -> None:
    """What went by the rules of [retention], by table."""
    verb = "would go" if done.is_dry_run else "are gone"
    for name, count in done.records.items():
        _plain(f"{name}: {count:,} record(s) with {done.versions[name]:,} version(s) {verb}")
    rejected = done.versions.get("_quarantine")
    if rejected:
        _plain(f"quarantine: {rejected:,} row(s) {verb}")
    if not done.versions:
        _plain("nothing is older than its rule")
    if done.build_id is not None:
        _plain(f"published anew: build {done.build_id}; older publications are gone")


def show_trace(found: Mapping[str, Any]) -> None:
    """The row, then each landed version it came from."""
    for row in found["rows"]:
        _console.print(f"{found['mart']} {found['key']}", style="bold")
        for name, value in row.items():
            if value is not None:
                _console.print(f"  {name} = {value}", markup=False, highlight=False)
    for step in found["versions"]:
        _console.print(
            f"{step['relation']} <- raw.{step['source']}__{step['stream']} record "
            f"{step['record_id']} ({step['connection']})",
            style="bold",
        )
        if step["models"]:
            _console.print(f"  by {' <- '.join(step['models'])}", markup=False, highlight=False)
        for version in step["versions"]:
            _console.print(
                f"  {version['observed_at']:%Y-%m-%d %H:%M:%S} UTC  {version['change']}  "
                f"sync {version['sync_id']}  hash {version['payload_hash'][:12]}"
                f"{'  <- used' if version['is_used'] else ''}",
                highlight=False,
            )
            if version["fields"]:
                text = json.dumps(version["fields"], ensure_ascii=False, default=str)
                _console.print(f"    {text[:_EXCERPT]}", markup=False, highlight=False)


def show_diff(found: Mapping[str, Any]) -> None:
    """How many rows differ, the first of them column by column, and why."""
    older, newer = found["from"], found["to"]
    _console.print(f"{found['mart']}: {older['name']} -> {newer['name']}", style="bold")
    _console.print(
        f"{found['added']} added, {found['removed']} removed, {found['changed']} changed, "
        f"{found['equal']} equal"
    )
    for side, names in found["columns"].items():
        if names:
            where = older["name"] if side == "only_from" else newer["name"]
            _console.print(f"only in {where}: {', '.join(names)}", style="yellow")
    for row in found["rows"]:
        _console.print(f"{row['change']} {row['key']}", style="bold", markup=False, highlight=False)
        for name, value in row["columns"].items():
            _plain(f"  {name}: {value['from']} -> {value['to']}")
        for cause in row["causes"]:
            seen = cause["observed_at"]
            when = "" if seen is None else f", seen {seen:%Y-%m-%d %H:%M} UTC"
            _plain(
                f"  because {cause['source']}.{cause['stream']} {cause['record_id']} "
                f"({cause['connection']}): {cause['change']}{when}"
            )
            for name, value in cause["fields"].items():
                _plain(f"    {name}: {value['from']} -> {value['to']}")
    if found["added"] + found["removed"] + found["changed"] > len(found["rows"]):
        _console.print("more rows differ: --limit shows them")
    _show_moved(found)


def show_closes(found: Sequence[Mapping[str, Any]]) -> None:
    """Every close, oldest period first."""
    if not found:
        _plain("no period is closed")
        return
    table = _table("period", "days", "# no", "closed at", "knows up to", "# figures", "reason")
    for one in found:
        table.add_row(
            one["period_key"],
            f"{one['start_date']} to {one['end_date']}",
            str(one["close_no"]),
            f"{one['closed_at']:%Y-%m-%d %H:%M}",
            f"{one['seen_to']:%Y-%m-%d %H:%M}",
            str(one["n_figures"]),
            one["reason"] or "",
        )
    _console.print(table)


def show_close(done: Mapping[str, Any]) -> None:
    """What was frozen, and which streams had not been read since the period's end."""
    _console.print(
        f"closed {done['period_key']} ({done['start_date']} to {done['end_date']}), close "
        f"{done['close_no']}: {done['n_figures']} figures as known at "
        f"{done['seen_to']:%Y-%m-%d %H:%M} UTC",
        style="bold",
    )
    table = _table("figure of the company", f"# {done['currency_code']}")
    for name, value in done["totals"].items():
        table.add_row(name, f"{value:,.2f}")
    _console.print(table)
    for name in done["unread"]:
        _console.print(
            f"not read whole since the period's end: {name}", style="yellow", markup=False
        )
    _plain("its figures and what becomes of them: fct_period_close, from the next publication on")


def _show_moved(found: Mapping[str, Any]) -> None:
    older, newer = found["from"]["as_of"], found["to"]["as_of"]
    if older != newer:
        _plain(f"the as-of moved: {older:%Y-%m-%d %H:%M} -> {newer:%Y-%m-%d %H:%M} UTC")
    for one in found["moved"]:
        _plain(f"landed in between: {one['source']}.{one['stream']}, {one['records']} record(s)")


def _plain(text: str) -> None:
    _console.print(text, markup=False, highlight=False)
