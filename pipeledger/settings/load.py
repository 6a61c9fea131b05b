"""Read settings from pipeledger.toml and the environment, and say all that is wrong at once.

The environment wins over the file: ``PIPELEDGER__COMPANY__TIME_ZONE`` is
``company.time_zone``. A key with ``_FILE`` behind it names a file that holds the value, in
both places; that is how secrets come in. Nothing here touches the network.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from connectors.base.errors import ConfigError
from connectors.base.redact import remember
from pipeledger.settings.lines import key_lines
from pipeledger.settings.model import Connection, Settings, currency_code
from pipeledger.sources import CONNECTORS, connector

PREFIX = "PIPELEDGER__"
DEFAULT_FILE = "pipeledger.toml"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLACEHOLDER = re.compile(
    r"^(<.*>|x{3,}|\*+|changeme|change-me|todo|your[-_ ].*|secret|password|token|\.\.\.)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a line of the file, a variable, or a secret file."""

    text: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Valid settings, where each given value came from, and remarks for the user."""

    settings: Settings
    path: Path | None
    origins: Mapping[str, Origin]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Draft:
    """Raw values on their way to the models, with everything found wrong so far."""

    path: Path | None
    values: dict[str, Any]
    lines: Mapping[str, int]
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def where(self, key: str) -> str:
        """The place of a key, or of its nearest parent that has one."""
        parts = key.split(".")
        while parts:
            name = ".".join(parts)
            if name in self.origins:
                return self.origins[name].text
            if name in self.lines:
                return f"{self.path}:{self.lines[name]}"
            parts.pop()
        return str(self.path or "settings")

    def wrong(self, key: str, text: str) -> None:
        """Note a problem of a key."""
        self.problems.append(f"{self.where(key)}: {key}: {text}")


def load_settings(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
    """Read and check the settings.

    Args:
        path: the TOML file; ``PIPELEDGER_CONFIG`` or ./pipeledger.toml if None.
        environment: the variables; those of the process if None.

    Raises:
        ConfigError: something is wrong. The message lists everything, each with file and
            line or variable, and never shows a secret's value.
    """
    env = os.environ if environment is None else environment
    chosen = path or Path(env.get("PIPELEDGER_CONFIG", DEFAULT_FILE))
    draft = _read_file(chosen)
    _overlay(draft, env)
    raw_sources = draft.values.pop("sources", {})
    base = chosen.resolve().parent
    connections = _connections(draft, raw_sources, base)
    settings: Settings | None = None
    try:
        settings = Settings.model_validate({**draft.values, "connections": tuple(connections)})
    except ValidationError as error:
        _explain(draft, error, Settings, "")
    if settings is not None:
        _check_references(draft, settings)
    if draft.problems or settings is None:
        listed = "\n  ".join(sorted(set(draft.problems)))
        raise ConfigError(f"the settings cannot be used:\n  {listed}")
    return Loaded(_resolved(settings, base), draft.path, draft.origins, tuple(draft.notes))


def _read_file(path: Path) -> _Draft:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist. `pipeledger init` writes one, or name yours with --config."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    return _Draft(path, values, key_lines(text))


def _overlay(draft: _Draft, env: Mapping[str, str]) -> None:
    """Put the variables over the file's values."""
    for name in sorted(env):
        if not name.startswith(PREFIX):
            continue
        parts = name.removeprefix(PREFIX).lower().split("__")
        target = draft.values
        for part in parts[:-1]:
            step = target.setdefault(part, {})
            if not isinstance(step, dict):
                draft.problems.append(f"{name}: {part} is no table of the settings")
                break
            target = step
        else:
            target[parts[-1]] = _literal(env[name])
            draft.origins[".".join(parts)] = Origin(f"variable {name}")


def _literal(text: str) -> Any:
    """A variable's value: JSON lists and tables are read as such, all else is text."""
    if text[:1] in "[{":
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def _connections(draft: _Draft, sources: Any, base: Path) -> list[Connection]:
    """Every connection, validated by its connector's model; problems are noted."""
    found: list[Connection] = []
    taken: dict[str, str] = {}
    if not isinstance(sources, dict):
        draft.wrong("sources", "must hold tables such as [sources.hubspot.crm]")
        return found
    for source, instances in sources.items():
        if source not in CONNECTORS:
            draft.wrong(f"sources.{source}", f"unknown source{_near(source, CONNECTORS)}")
            continue
        if not isinstance(instances, dict) or not all(
            isinstance(one, dict) for one in instances.values()
        ):
            draft.wrong(
                f"sources.{source}",
                f"name the connection: [sources.{source}.<name>], then its keys",
            )
            continue
        for name, values in instances.items():
            key = f"sources.{source}.{name}"
            if not _NAME.fullmatch(name):
                draft.wrong(key, "a connection's name is lower-case letters, digits and _")
            if name in taken:
                draft.wrong(key, f"the name {name} is taken by {taken[name]}; keys begin with it")
            taken.setdefault(name, key)
            one = _connection(draft, source, name, dict(values), base)
            if one is not None:
                found.append(one)
    return found


def _connection(
    draft: _Draft, source: str, name: str, values: dict[str, Any], base: Path
) -> Connection | None:
    key = f"sources.{source}.{name}"
    found = connector(source)
    home = values.pop("home_currency", None)
    if home is not None:
        try:
            currency_code(str(home))
        except ValueError as error:
            draft.wrong(f"{key}.home_currency", str(error))
    _read_secret_files(draft, key, values, found.settings, base)
    _check_secrets(draft, key, values, found.settings)
    folder = values.get("folder")
    if isinstance(folder, str):
        values["folder"] = base / folder
    try:
        settings = found.settings.model_validate(values)
    except ValidationError as error:
        _explain(draft, error, found.settings, key)
        return None
    _remember(settings)
    if source == "files":
        _check_files(draft, key, name, settings)
    return Connection(name, source, found, settings, home)


def _check_files(draft: _Draft, key: str, name: str, settings: Any) -> None:
    """Two quotas for one person and period are wrong before anything runs."""
    from connectors.base.errors import PipeledgerError
    from connectors.files.folder import check_duplicates

    try:
        for problem in check_duplicates(settings, name, "quotas"):
            draft.wrong(f"{key}.tables.quotas", problem)
    except PipeledgerError as error:
        draft.wrong(f"{key}.tables.quotas", str(error))


def _secret_fields(model: type[BaseModel]) -> set[str]:
    """Names of a model's secret fields."""

    def is_secret(annotation: Any) -> bool:
        return annotation is SecretStr or any(is_secret(arg) for arg in get_args(annotation))

    return {n for n, info in model.model_fields.items() if is_secret(info.annotation)}


def _read_secret_files(
    draft: _Draft, key: str, values: dict[str, Any], model: type[BaseModel], base: Path
) -> None:
    """Replace ``token_file`` by ``token`` with the file's content."""
    for name in [name for name in values if name.endswith("_file")]:
        plain = name.removesuffix("_file")
        if name in model.model_fields or plain not in model.model_fields:
            continue
        path = base / str(values.pop(name))
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            draft.wrong(f"{key}.{name}", f"the file {path} cannot be read: {error.strerror}")
            values[plain] = "unreadable-file-noted-above"
            continue
        if text != text.strip():
            draft.notes.append(f"{key}.{name}: white space around the value was dropped")
        values[plain] = text.strip()
        draft.origins[f"{key}.{plain}"] = Origin(f"file {path}")


def _check_secrets(draft: _Draft, key: str, values: dict[str, Any], model: type[BaseModel]) -> None:
    """Empty and placeholder secrets, and those that a config file should not hold."""
    for name in _secret_fields(model) & set(values):
        value = str(values[name])
        stripped = value.strip()
        if stripped != value:
            values[name] = stripped
            draft.notes.append(f"{key}.{name}: white space around the value was dropped")
        variable = f"{PREFIX}{key.replace('.', '__').upper()}__{name.upper()}"
        if not stripped or _PLACEHOLDER.match(stripped):
            draft.wrong(
                f"{key}.{name}", f"is empty or a placeholder; set {variable} or {variable}_FILE"
            )


def _explain(draft: _Draft, error: ValidationError, model: type[BaseModel], key: str) -> None:
    """Turn pydantic's findings into lines that say what, where and how to mend it."""
    secrets = _secret_fields(model)
    for one in error.errors(include_input=False, include_url=False, include_context=False):
        path = [str(part) for part in one["loc"]]
        full = ".".join(filter(None, [key, *path]))
        name = path[-1] if path else ""
        if one["type"] == "extra_forbidden":
            draft.wrong(full, f"unknown key{_near(name, _known_keys(model, path[:-1]))}")
        elif one["type"] == "missing" and name in secrets:
            variable = f"{PREFIX}{full.replace('.', '__').upper()}"
            draft.wrong(full, f"is missing; set {variable} or {variable}_FILE")
        elif one["type"] == "missing":
            draft.wrong(full, "is missing")
        else:
            text = one["msg"].removeprefix("Value error, ")
            for part in re.split(r"; |\n", text) if one["type"] == "value_error" else [text]:
                draft.wrong(full or "settings", part)


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """The keys that are allowed at a place below a model."""
    for part in path:
        if part.isdigit():
            continue
        info = model.model_fields.get(part)
        inner = _inner_model(info.annotation) if info is not None else None
        if inner is None:
            return []
        model = inner
    known = [info.alias or name for name, info in model.model_fields.items()]
    return [*known, "sources"] if model is Settings else known


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        inner = _inner_model(argument)
        if inner is not None:
            return inner
    return None


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, [str(one) for one in known], n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def _check_references(draft: _Draft, settings: Settings) -> None:
    """Rules that name a connection must name one that exists."""
    names = [connection.name for connection in settings.connections]
    rules: list[tuple[str, str]] = [
        (f"stages.{i}.connection", rule.connection) for i, rule in enumerate(settings.stages)
    ]
    rules += [(f"pipelines.{i}.connection", r.connection) for i, r in enumerate(settings.pipelines)]
    for key, name in rules:
        if name not in names:
            draft.wrong(key, f"there is no connection {name!r}{_near(name, names)}")


def _remember(settings: BaseModel) -> None:
    """Mask every secret from now on, wherever it turns up."""
    for value in dict(settings).values():
        if isinstance(value, SecretStr):
            remember(value)
        elif isinstance(value, BaseModel):
            _remember(value)


def _resolved(settings: Settings, base: Path) -> Settings:
    """Relative paths count from the settings file."""
    paths = settings.paths
    landing = paths.landing if "://" in paths.landing else str(base / paths.landing)
    return settings.model_copy(
        update={
            "paths": paths.model_copy(
                update={
                    "landing": landing,
                    "warehouse": base / paths.warehouse,
                    "serving": base / paths.serving,
                    "state": base / paths.state,
                }
            )
        }
    )
