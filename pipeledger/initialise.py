"""Init: the settings of a first connection, with the rights it needs, and a first test."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.base.errors import ConfigError
from pipeledger.doctor import examine
from pipeledger.settings import load_settings
from pipeledger.sources import CONNECTORS, connector

_HEAD = """# pipeledger settings. Every key is explained in pipeledger.example.toml.

[company]
name = "My company"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"
own_domains = []

[company.fiscal_year]
start_month = 1
"""


def write_connection(path: Path, source: str, name: str) -> Iterator[str]:
    """Append a connection to the settings file (made if missing); yield lines for the user.

    Raises:
        ConfigError: unknown source, or the connection exists already.
    """
    if source not in CONNECTORS:
        raise ConfigError(f"unknown source {source}; there are: {', '.join(CONNECTORS)}")
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    header = f"[sources.{source}.{name}]"
    if header in text:
        raise ConfigError(f"{path} has {header} already")
    variable = f"PIPELEDGER__SOURCES__{source.upper()}__{name.upper()}"
    chosen = connector(source)
    keys = chosen.starter.format(variable=variable, name=name)
    path.write_text(f"{text.rstrip()}\n\n{header}\n{keys}", encoding="utf-8")
    if source == "files":
        (path.parent / "inbox").mkdir(exist_ok=True)
    yield f"wrote {header} to {path}"
    yield from (f"  {place}. {step}" for place, step in enumerate(chosen.steps, 1))
    scopes = sorted({scope for stream in chosen.streams for scope in stream.scopes})
    if scopes:
        yield f"{source} needs these rights, read-only, and no others: {', '.join(scopes)}"


async def first_test(path: Path, names: Sequence[str]) -> Iterator[str]:
    """Sign in to the new connections if their settings are complete; lines for the user."""
    try:
        settings = load_settings(path).settings
    except ConfigError as error:
        return iter(
            [f"not tested yet: {error}", f"mend these, then: pipeledger doctor {' '.join(names)}"]
        )
    found = await examine(settings, names)
    return iter(
        [
            line
            for one in found
            for line in (
                f"{one['connection']}: {'works' if one['ok'] else 'FAILED'}, {one['account']}",
                *(f"  {text}" for text in one["lines"]),
            )
        ]
        + ["then: pipeledger run"]
    )
