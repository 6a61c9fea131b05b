"""What the commands share: their options, the settings they run by, the instants they name."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeledger.settings import Loaded, Settings

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


def settings_of(config: Path | None) -> "Loaded":
    """The settings of a file, their notes told on standard error."""
    from pipeledger import logs
    from pipeledger.settings import load_settings

    logs.configure()
    loaded = load_settings(config)
    for note in loaded.notes:
        typer.echo(f"note: {note}", err=True)
    return loaded


def instant_of(option: str, text: str, settings: "Settings") -> datetime:
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
