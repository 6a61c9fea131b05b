"""Commands around a company's set-up: init, doctor, config, state, demo, docs."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeledger.cli.options import (
    Config,
    Debug,
    Json,
    Names,
    settings_of,
)
from pipeledger.guard import guarded
from pipeledger.shown_runs import (
    print_json,
)

app = typer.Typer()


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

        settings = settings_of(config).settings
        found = asyncio.run(examine(settings, connections))
        if as_json:
            print_json(found)
        else:
            from pipeledger.screens import show_doctor

            show_doctor(found)
        raise typer.Exit(0 if all(one["ok"] for one in found) else 1)


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


state_app = typer.Typer(help="Mend or upgrade what syncs go on from.", no_args_is_help=True)
app.add_typer(state_app, name="state")


@state_app.command("rebuild")
def state_rebuild(*, config: Config = None, as_json: Json = False, debug: Debug = False) -> None:
    """Set damaged landing files and checkpoints aside; their streams are read anew."""
    with guarded(debug=debug):
        from dataclasses import asdict

        from pipeledger.pipeline import rebuild_all

        rebuilt = rebuild_all(settings_of(config).settings)
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


@state_app.command("upgrade")
def state_upgrade(*, config: Config = None, as_json: Json = False, debug: Debug = False) -> None:
    """Bring landing that an older release wrote to the format of this one; keeps every row."""
    with guarded(debug=debug):
        from pipeledger.landing.tables import FORMAT
        from pipeledger.landing.upgrade import upgrade
        from pipeledger.rewriting import nobody_else

        settings = settings_of(config).settings
        with nobody_else(settings):
            done = upgrade(settings.paths.landing)
        if as_json:
            print_json({"format": FORMAT, "upgraded_from": done})
            return
        for name, told in done.items():
            typer.echo(f"{name}: from format {told} to {FORMAT}")
        if not done:
            typer.echo(f"landing has format {FORMAT}; nothing was changed")


config_app = typer.Typer(help="Look at the settings.", no_args_is_help=True)
app.add_typer(config_app, name="config")


@config_app.command("show")
def config_show(*, config: Config = None, as_json: Json = False, debug: Debug = False) -> None:
    """Show every value in force and where it came from; secrets stay masked."""
    with guarded(debug=debug):
        from pipeledger.settings.show import shown

        values = shown(settings_of(config))
        if as_json:
            print_json({one.key: {"value": one.value, "from": one.origin} for one in values})
            return
        for one in values:
            typer.echo(f"{one.key} = {json.dumps(one.value, ensure_ascii=False)}  # {one.origin}")
