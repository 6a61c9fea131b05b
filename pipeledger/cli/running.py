"""Commands that bring data in and out: sync, build, check, publish, run, close."""

from datetime import datetime
from typing import Annotated

import typer

from pipeledger.cli.options import (
    AsOf,
    Config,
    Debug,
    Deletes,
    Full,
    Json,
    Names,
    Streams,
    instant_of,
    settings_of,
)
from pipeledger.guard import guarded
from pipeledger.shown_runs import (
    print_json,
    run_all,
    run_syncs,
    show_build_report,
    show_exports,
    show_publication,
    show_sync_reports,
)

app = typer.Typer()
DAYS = ["%Y-%m-%d"]


@app.command()
def sync(
    connections: Names = None,
    stream: Streams = None,
    *,
    full: Full = False,
    allow_deletes: Deletes = False,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Read what is new from the sources and land it."""
    with guarded(debug=debug):
        from pipeledger.pipeline import sync_exit_code

        settings = settings_of(config).settings
        reports = run_syncs(
            settings, connections, stream, full=full, allow_deletes=allow_deletes, quiet=as_json
        )
        show_sync_reports(reports, as_json=as_json)
        raise typer.Exit(sync_exit_code(reports))


@app.command()
def backfill(
    source: Annotated[str, typer.Argument(help="A connection, or a source for all of its own.")],
    first: Annotated[datetime, typer.Option("--from", formats=DAYS, help="The first day.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAYS, help="The last day, included.")],
    stream: Streams = None,
    *,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Read a range of days again and land what is missing; the next sync goes on as before."""
    with guarded(debug=debug):
        from pipeledger.pipeline import connections_named, range_of_days, sync_exit_code
        from pipeledger.shown_runs import run_backfill

        settings = settings_of(config).settings
        within = range_of_days(settings, first.date(), last.date())
        names = connections_named(settings, source)
        reports = run_backfill(settings, names, stream, within, quiet=as_json)
        show_sync_reports(reports, as_json=as_json)
        raise typer.Exit(sync_exit_code(reports))


@app.command()
def build(
    *,
    as_of: AsOf = None,
    full: Full = False,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Build the marts over what landed and run every check."""
    with guarded(debug=debug):
        from pipeledger.pipeline import build_and_note

        settings = settings_of(config).settings
        instant = None if as_of is None else instant_of("--as-of", as_of, settings)
        report = build_and_note(settings, as_of=instant, full=full)
        show_build_report(report, as_json=as_json)
        raise typer.Exit(3 if report.errors else 0)


@app.command()
def check(*, config: Config = None, as_json: Json = False, debug: Debug = False) -> None:
    """Run the checks on what landed and say what they found; publishes nothing."""
    build(config=config, as_json=as_json, debug=debug)


@app.command()
def publish(*, config: Config = None, as_json: Json = False, debug: Debug = False) -> None:
    """Build, check, and point readers at the result."""
    with guarded(debug=debug):
        from pipeledger.pipeline import build_and_note, publish_and_note

        settings = settings_of(config).settings
        report = build_and_note(settings)
        done = None if report.errors else publish_and_note(settings, report)
        show_build_report(report, as_json=as_json)
        if done is None:
            raise typer.Exit(3)
        if not as_json:
            show_publication(done)
        failed = show_exports(settings, as_json=as_json)
        raise typer.Exit(done.exit_code or (1 if failed else 0))


@app.command()
def run(
    connections: Names = None,
    *,
    full: Full = False,
    allow_deletes: Deletes = False,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Sync, build, check, publish."""
    with guarded(debug=debug):
        settings = settings_of(config).settings
        code = run_all(
            settings,
            connections=connections,
            full=full,
            allow_deletes=allow_deletes,
            as_json=as_json,
        )
        raise typer.Exit(code)


@app.command()
def erase(
    *,
    subject: Annotated[
        str,
        typer.Option(help="An address, or <source>:<stream>:<connection>:<record id>."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go.")] = False,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Take a person out of all that is kept, for good, and search every byte for them."""
    with guarded(debug=debug):
        from dataclasses import asdict

        from pipeledger.erase import erase as take_out

        done = take_out(settings_of(config).settings, subject, dry_run=dry_run)
        if as_json:
            print_json(asdict(done))
        else:
            from pipeledger.screens import show_erasure

            show_erasure(done)
        raise typer.Exit(1 if done.found and not dry_run else 0)


@app.command()
def prune(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go.")] = False,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Take out of all that is kept what the rules of [retention] let go."""
    with guarded(debug=debug):
        from dataclasses import asdict

        from pipeledger.prune import prune as take_out

        done = take_out(settings_of(config).settings, dry_run=dry_run)
        if as_json:
            print_json(asdict(done))
        else:
            from pipeledger.screens import show_pruned

            show_pruned(done)


@app.command()
def close(
    period: Annotated[
        str | None, typer.Argument(help="A fiscal month, quarter or year, such as FY2027-M08.")
    ] = None,
    *,
    as_of: AsOf = None,
    again: Annotated[
        str | None, typer.Option("--again", help="Why a closed period is closed again.")
    ] = None,
    is_list: Annotated[bool, typer.Option("--list", help="Show what is closed.")] = False,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Freeze the published figures of a fiscal period that has ended."""
    with guarded(debug=debug):
        from connectors.base.errors import ConfigError
        from pipeledger.close import close_period, closed_periods

        if (period is None) != is_list or (is_list and (as_of or again)):
            raise ConfigError("name the period to close, or ask with --list alone what is closed")
        settings = settings_of(config).settings
        if period is None:
            listed = closed_periods(settings)
            if as_json:
                print_json(listed)
            else:
                from pipeledger.screens import show_closes

                show_closes(listed)
            return
        instant = None if as_of is None else instant_of("--as-of", as_of, settings)
        done = close_period(settings, period, as_of=instant, again=again)
        if as_json:
            print_json(done)
        else:
            from pipeledger.screens import show_close

            show_close(done)


@app.command()
def alerts(
    *,
    is_dry: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent; send nothing.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Send the digests of the day and what broke or was mended, each once."""
    with guarded(debug=debug):
        from dataclasses import asdict

        from pipeledger.alerts.send import send_alerts, show_alerts

        settings = settings_of(config).settings
        if is_dry:
            report = show_alerts(settings, lambda line: typer.echo(line, err=as_json))
        else:
            report = send_alerts(settings)
        if as_json:
            print_json(asdict(report))
        else:
            for kind, texts in (("refused", report.refused), ("failed", report.failed)):
                for text in texts:
                    typer.echo(f"{kind}: {text}", err=True)
            typer.echo(
                f"sent {len(report.sent)}, sent before {report.sent_before}, "
                f"refused {len(report.refused)}, failed {len(report.failed)}"
            )
        raise typer.Exit(5 if report.failed else 0)


By = Annotated[str | None, typer.Option("--by", help="Who says so, such as ana@example.com.")]
Note = Annotated[str | None, typer.Option("--note", help="What was done or agreed.")]
Deal = Annotated[str, typer.Argument(help="The deal's key, such as hubspot:4711.")]


@app.command()
def acknowledge(
    deal: Deal,
    *,
    by: By = None,
    note: Note = None,
    is_undone: Annotated[bool, typer.Option("--undo", help="Take back what was noted.")] = False,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Note that somebody takes care of a deal: what stands against it now is told no more."""
    with guarded(debug=debug):
        from pipeledger.follow_ups import Said, take_back, take_note

        settings = settings_of(config).settings
        if is_undone:
            typer.echo(f"took back {take_back(settings, deal)} line(s)")
        else:
            typer.echo(f"noted in {take_note(settings, Said(deal, by, note))}")


@app.command()
def snooze(
    deal: Deal,
    until: Annotated[str, typer.Argument(help="The day on which it comes back: 2026-11-02.")],
    *,
    by: By = None,
    note: Note = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Leave a deal alone until a day, whatever comes up."""
    with guarded(debug=debug):
        from pipeledger.follow_ups import Said, day_of, take_note

        settings = settings_of(config).settings
        typer.echo(f"noted in {take_note(settings, Said(deal, by, note, day_of(until)))}")
