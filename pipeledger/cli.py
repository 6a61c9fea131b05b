"""The command line: verbs for people and schedulers, with exit codes to rely on.

0 ok · 1 failed · 2 usage or settings · 3 checks failed · 4 locked · 5 partial
"""

import asyncio
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeledger.guard import guarded
from pipeledger.shown_runs import (
    print_json,
    run_all,
    run_syncs,
    show_build_report,
    show_sync_reports,
)

if TYPE_CHECKING:
    from pipeledger.settings import Loaded, Settings

app = typer.Typer(
    help="The sales warehouse that ties the pipeline to the ledger.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Config = Annotated[Path | None, typer.Option("--config", "-c", help="The settings file.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="A day (its end in the company's zone) or an instant with offset."
    ),
]
Names = Annotated[list[str] | None, typer.Argument(help="Connections; all without.")]
Streams = Annotated[list[str] | None, typer.Option("--stream", help="Only this stream.")]
Full = Annotated[bool, typer.Option("--full", help="Read or build everything anew.")]
Deletes = Annotated[
    bool, typer.Option("--allow-deletes", help="Accept a listing that lacks many known records.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


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

        settings = _settings(config).settings
        reports = run_syncs(
            settings, connections, stream, full=full, allow_deletes=allow_deletes, quiet=as_json
        )
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

        settings = _settings(config).settings
        instant = None if as_of is None else _instant("--as-of", as_of, settings)
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

        settings = _settings(config).settings
        report = build_and_note(settings)
        if not report.errors:
            publish_and_note(settings, report)
        show_build_report(report, as_json=as_json)
        raise typer.Exit(3 if report.errors else 0)


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
        settings = _settings(config).settings
        code = run_all(
            settings,
            connections=connections,
            full=full,
            allow_deletes=allow_deletes,
            as_json=as_json,
        )
        raise typer.Exit(code)


@app.command()
def status(*, config: Config = None, as_json: Json = False, debug: Debug = False) -> None:
    """What is published, how fresh each source is, and why the newest build is not published."""
    with guarded(debug=debug):
        from pipeledger.status import status as facts

        found = facts(_settings(config).settings)
        if as_json:
            print_json(found)
        else:
            from pipeledger.screens import show_status

            show_status(found)


@app.command()
def doctor(
    connections: Names = None,
    *,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Test each connection: sign in, list its rights, name missing and needless ones."""
    with guarded(debug=debug):
        from pipeledger.doctor import examine

        settings = _settings(config).settings
        found = asyncio.run(examine(settings, connections))
        if as_json:
            print_json(found)
        else:
            from pipeledger.screens import show_doctor

            show_doctor(found)
        raise typer.Exit(0 if all(one["ok"] for one in found) else 1)


@app.command()
def trace(
    mart: Annotated[str, typer.Argument(help="A mart, such as mart_deal_billing_recon.")],
    key: Annotated[str, typer.Argument(help="The key of a row, such as hubspot:4711.")],
    *,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Walk from a mart's row back to the landed versions it came from."""
    with guarded(debug=debug):
        from pipeledger.trace import trace as walk

        found = walk(_settings(config).settings, mart, key)
        if as_json:
            print_json(found)
        else:
            from pipeledger.screens import show_trace

            show_trace(found)


@app.command()
def diff(
    mart: Annotated[str, typer.Argument(help="A mart, such as mart_quota_gap.")],
    *,
    older: Annotated[
        str, typer.Option("--from", help="A day, an instant, a kept build, or `previous`.")
    ] = "previous",
    newer: Annotated[
        str, typer.Option("--to", help="A day, an instant, a kept build, or `current`.")
    ] = "current",
    limit: Annotated[int, typer.Option(min=0, help="How many differing rows to show.")] = 20,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what changed in a mart between two publications or two days, and why."""
    with guarded(debug=debug):
        from pipeledger.diff import diff as compare
        from pipeledger.editions import past_edition, published_edition
        from pipeledger.pipeline import landing_of

        settings = _settings(config).settings
        before, after = (
            published_edition(settings, name)
            or past_edition(settings, _instant(option, name, settings))
            for option, name in (("--from", older), ("--to", newer))
        )
        found = compare(settings, landing_of(settings), mart, before, after, limit)
        if as_json:
            print_json(found)
        else:
            from pipeledger.screens import show_diff

            show_diff(found)


@app.command()
def export(
    mart: Annotated[str, typer.Argument(help="A mart, such as mart_quota_gap.")],
    *,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="csv, xlsx or parquet; the ending of --out without."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file; <mart>_<day>.<format> here without.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="A condition in SQL, such as \"scope_type = 'team'\".")
    ] = None,
    edition: Annotated[
        str, typer.Option("--as-of", help="A day, an instant, or a kept build.")
    ] = "current",
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="CSV with 1234,50 and semicolons.")
    ] = False,
    bare: Annotated[
        bool, typer.Option("--bare", help="Without the line that says what the file shows.")
    ] = False,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Write a mart to a file that a spreadsheet can open without harm."""
    with guarded(debug=debug):
        from pipeledger.editions import past_edition, published_edition
        from pipeledger.export import Wanted, format_of
        from pipeledger.export import export as write

        settings = _settings(config).settings
        chosen = format_of(file_format, out)
        found = published_edition(settings, edition) or past_edition(
            settings, _instant("--as-of", edition, settings)
        )
        path = out or Path(f"{mart}_{found.as_of:%Y-%m-%d}.{chosen}")
        count = write(found, Wanted(mart, chosen, where, decimal_comma, bare), path)
        typer.echo(f"wrote {path}: {count:,} rows as of {found.as_of:%Y-%m-%d %H:%M} UTC")


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
        settings = _settings(config).settings
        if period is None:
            listed = closed_periods(settings)
            if as_json:
                print_json(listed)
            else:
                from pipeledger.screens import show_closes

                show_closes(listed)
            return
        instant = None if as_of is None else _instant("--as-of", as_of, settings)
        done = close_period(settings, period, as_of=instant, again=again)
        if as_json:
            print_json(done)
        else:
            from pipeledger.screens import show_close

            show_close(done)


@app.command()
def init(
    sources: Annotated[list[str], typer.Argument(help="The sources, such as hubspot stripe.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the connection; the source's without.")
    ] = None,
    *,
    asks: Annotated[
        bool | None,
        typer.Option("--input/--no-input", help="Ask for the values; on a terminal it does."),
    ] = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Walk through first connections: steps at the vendor, rights, values, and a test."""
    with guarded(debug=debug):
        from connectors.base.errors import ConfigError
        from pipeledger.initialise import Questions, first_test, write_connection

        if name is not None and len(sources) > 1:
            raise ConfigError("--name names one connection; give one source with it")
        path = config or Path("pipeledger.toml")
        names = [name or source for source in sources]
        questions = Questions(
            lambda key, suggestion: str(typer.prompt(key, default=suggestion)),
            lambda key: str(
                typer.prompt(
                    f"{key} (unseen; empty if a variable holds it)",
                    default="",
                    hide_input=True,
                    show_default=False,
                )
            ),
        )
        is_asked = sys.stdin.isatty() if asks is None else asks
        for source, chosen in zip(sources, names, strict=True):
            for line in write_connection(path, source, chosen, questions if is_asked else None):
                typer.echo(line)
        for line in asyncio.run(first_test(path, names)):
            typer.echo(line)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path("demo"),
    *,
    scale: Annotated[float, typer.Option(help="Size of the fictional company.")] = 1.0,
    debug: Debug = False,
) -> None:
    """Run the whole road over a fictional company on vendor servers of this machine."""
    with guarded(debug=debug):
        from pipeledger.demo import run_demo

        raise typer.Exit(run_demo(folder, scale))


@app.command()
def docs(
    examples: Annotated[
        Path | None,
        typer.Option(help="A publication whose values stand as examples, such as the demo's."),
    ] = None,
    *,
    debug: Debug = False,
) -> None:
    """Write the static dbt site to target/static_index.html."""
    with guarded(debug=debug):
        from pipeledger.site import write_site

        typer.echo(f"wrote {write_site(examples)}")


state_app = typer.Typer(help="Mend what syncs go on from.", no_args_is_help=True)
app.add_typer(state_app, name="state")


@state_app.command("rebuild")
def state_rebuild(*, config: Config = None, as_json: Json = False, debug: Debug = False) -> None:
    """Set damaged landing files and checkpoints aside; their streams are read anew."""
    with guarded(debug=debug):
        from dataclasses import asdict

        from pipeledger.pipeline import rebuild_all

        rebuilt = rebuild_all(_settings(config).settings)
        if as_json:
            print_json([asdict(one) for one in rebuilt])
            return
        for one in rebuilt:
            typer.echo(
                f"{one.source}.{one.stream} ({one.connection}): {one.reason}; "
                "its next sync reads all"
            )
        if not rebuilt:
            typer.echo("the state is sound; nothing was changed")


config_app = typer.Typer(help="Look at the settings.", no_args_is_help=True)
app.add_typer(config_app, name="config")


@config_app.command("show")
def config_show(*, config: Config = None, as_json: Json = False, debug: Debug = False) -> None:
    """Show every value in force and where it came from; secrets stay masked."""
    with guarded(debug=debug):
        from pipeledger.settings.show import shown

        values = shown(_settings(config))
        if as_json:
            print_json({one.key: {"value": one.value, "from": one.origin} for one in values})
            return
        for one in values:
            typer.echo(f"{one.key} = {json.dumps(one.value, ensure_ascii=False)}  # {one.origin}")


def _settings(config: Path | None) -> "Loaded":
    from pipeledger import logs
    from pipeledger.settings import load_settings

    logs.configure()
    loaded = load_settings(config)
    for note in loaded.notes:
        typer.echo(f"note: {note}", err=True)
    return loaded


def _instant(option: str, text: str, settings: "Settings") -> datetime:
    """What an option names: a day means its end in the company's zone.

    Raises:
        ConfigError: the text is neither a day nor an instant with an offset.
    """
    from datetime import time as clock_time
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from connectors.base.errors import ConfigError

    try:
        if len(text) == len("2026-09-30"):
            next_day = date.fromisoformat(text) + timedelta(days=1)
            zone = ZoneInfo(settings.company.time_zone)
            return datetime.combine(next_day, clock_time(), zone).astimezone(UTC)
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text}: {error}") from None
    if found.tzinfo is None:
        raise ConfigError(f"{option} {text}: an instant needs its offset, such as {text}+00:00")
    return found.astimezone(UTC)
