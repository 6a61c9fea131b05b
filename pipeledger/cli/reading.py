"""Commands that look at what is published: status, trace, diff, export, dashboard, report."""

from pathlib import Path
from typing import Annotated

import typer

from pipeledger.cli.options import Config, Debug, Json, instant_of, settings_of
from pipeledger.guard import guarded
from pipeledger.shown_runs import (
    print_json,
)

app = typer.Typer()


@app.command()
def status(
    *,
    as_metrics: Annotated[
        bool, typer.Option("--metrics", help="In Prometheus' text format, for a monitor.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """What is published, how fresh each source is, and why the newest build is not published."""
    with guarded(debug=debug):
        from pipeledger.status import status as facts

        found = facts(settings_of(config).settings)
        if as_metrics:
            from pipeledger.metrics import exposition

            typer.echo(exposition(found), nl=False)
        elif as_json:
            print_json(found)
        else:
            from pipeledger.screens import show_status

            show_status(found)


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

        found = walk(settings_of(config).settings, mart, key)
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

        settings = settings_of(config).settings
        before, after = (
            published_edition(settings, name)
            or past_edition(settings, instant_of(option, name, settings))
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

        settings = settings_of(config).settings
        chosen = format_of(file_format, out)
        found = published_edition(settings, edition) or past_edition(
            settings, instant_of("--as-of", edition, settings)
        )
        path = out or Path(f"{mart}_{found.as_of:%Y-%m-%d}.{chosen}")
        count = write(found, Wanted(mart, chosen, where, decimal_comma, bare), path)
        typer.echo(f"wrote {path}: {count:,} rows as of {found.as_of:%Y-%m-%d %H:%M} UTC")


@app.command()
def dashboard(
    *,
    host: Annotated[str | None, typer.Option(help="Where to listen; [dashboard] without.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port.")] = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Serve the dashboard on this machine until interrupted."""
    with guarded(debug=debug):
        from dashboard.app import serve

        settings = settings_of(config).settings
        said = {name: value for name, value in (("host", host), ("port", port)) if value}
        listening = settings.dashboard.model_copy(update=said)
        typer.echo(f"dashboard: http://{listening.host}:{listening.port}/ (Ctrl-C ends it)")
        serve(settings.model_copy(update={"dashboard": listening}))


@app.command()
def report(
    *,
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("report.html"),
    language: Annotated[str, typer.Option("--lang", help="en, ja or id.")] = "en",
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Write the figures as one HTML file without script, to mail or to keep."""
    with guarded(debug=debug):
        from dashboard.report import write_report

        settings = settings_of(config).settings
        as_of = write_report(settings, out, language)
        typer.echo(f"wrote {out} as of {as_of:%Y-%m-%d %H:%M} UTC")
