"""Init: the settings of a first connection, with the rights it needs, and a first test."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.base.errors import ConfigError
from pipeledger.doctor import POSTGRES, examine
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


_POSTGRES_STEPS = (
    "As an administrator: create role pipeledger_publish login password '...' createrole;",
    "grant create on database <name> to pipeledger_publish;",
    "The first publication makes the schemas, and the role pipeledger_read that readers get.",
)
_POSTGRES_STARTER = """# dsn comes from PIPELEDGER__SERVING__POSTGRES__DSN or ..._DSN_FILE
reader_role = "pipeledger_read"
"""
_VALUE = re.compile(r"^(\w+) = ")
_SECRET = re.compile(r"^# (\w+) comes from ")


@dataclass(frozen=True, slots=True)
class Questions:
    """How the user is asked: ``value`` by key and suggestion, ``secret`` by key, unseen.

    An empty secret means that it comes from elsewhere.
    """

    value: Callable[[str, str], str]
    secret: Callable[[str], str]


def write_connection(
    path: Path, source: str, name: str, questions: Questions | None = None
) -> Iterator[str]:
    """Append a connection to the settings file (made if missing); yield lines for the user.

    With ``questions`` the values are asked for, after the steps at the vendor. A secret goes
    into a file of its own, 0600, which the settings name.

    Raises:
        ConfigError: unknown source, or the connection exists already.
    """
    if source == POSTGRES:
        yield from _write_postgres(path, questions)
        return
    if source not in CONNECTORS:
        known = ", ".join([*CONNECTORS, POSTGRES])
        raise ConfigError(f"unknown source {source}; there are: {known}")
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    header = f"[sources.{source}.{name}]"
    if header in text:
        raise ConfigError(f"{path} has {header} already")
    variable = f"PIPELEDGER__SOURCES__{source.upper()}__{name.upper()}"
    chosen = connector(source)
    yield from (f"  {place}. {step}" for place, step in enumerate(chosen.steps, 1))
    scopes = sorted({scope for stream in chosen.streams for scope in stream.scopes})
    if scopes:
        yield f"{source} needs these rights, read-only, and no others: {', '.join(scopes)}"
    keys = chosen.starter.format(variable=variable, name=name)
    if questions is not None:
        keys = "".join(f"{line}\n" for line in _answered(keys, path.parent, name, questions))
    path.write_text(f"{text.rstrip()}\n\n{header}\n{keys}", encoding="utf-8")
    if source == "files":
        (path.parent / "inbox").mkdir(exist_ok=True)
    yield f"wrote {header} to {path}"


def _write_postgres(path: Path, questions: Questions | None) -> Iterator[str]:
    """The same for the marts in PostgreSQL, which is no source but asks for a secret too."""
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    header = "[serving.postgres]"
    if header in text:
        raise ConfigError(f"{path} has {header} already")
    yield from (f"  {place}. {step}" for place, step in enumerate(_POSTGRES_STEPS, 1))
    keys = _POSTGRES_STARTER
    if questions is not None:
        keys = "".join(f"{line}\n" for line in _answered(keys, path.parent, POSTGRES, questions))
    path.write_text(f"{text.rstrip()}\n\n{header}\n{keys}", encoding="utf-8")
    yield f"wrote {header} to {path}"


def _answered(keys: str, folder: Path, name: str, questions: Questions) -> Iterator[str]:
    """The lines of a starter with the user's values in them."""
    for line in keys.splitlines():
        if value := _VALUE.match(line):
            yield f"{value[1]} = {_asked(value[1], tomllib.loads(line)[value[1]], questions)}"
        elif secret := _SECRET.match(line):
            given = questions.secret(secret[1]).strip()
            yield _kept(folder, f"{name}_{secret[1]}", secret[1], given) if given else line
        else:
            yield line


def _asked(key: str, suggested: Any, questions: Questions) -> str:
    """The user's value as TOML, whose texts and lists of texts are written like JSON's."""
    if isinstance(suggested, list):
        given = questions.value(f"{key} (comma between them)", ", ".join(suggested))
        return json.dumps([one.strip() for one in given.split(",") if one.strip()])
    return json.dumps(questions.value(key, suggested))


def _kept(folder: Path, file: str, key: str, secret: str) -> str:
    place = folder / "secrets" / file
    place.parent.mkdir(mode=0o700, exist_ok=True)
    place.touch(mode=0o600)
    place.chmod(0o600)
    place.write_text(secret, encoding="utf-8")
    return f'{key}_file = "secrets/{file}"'


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
