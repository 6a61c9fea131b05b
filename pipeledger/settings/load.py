"""Read settings from pipeledger.toml and the environment, and say all that is wrong at once.

The environment wins over the file: ``PIPELEDGER__COMPANY__TIME_ZONE`` is
``company.time_zone``. A key with ``_FILE`` behind it names a file that holds the value, in
both places; that is how secrets come in. Nothing here touches the network.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from connectors.base.errors import ConfigError, PipeledgerError
from pipeledger.settings.alerts import Smtp, Webhook
from pipeledger.settings.dashboard import PostgresReading
from pipeledger.settings.draft import Draft, Origin, leaves
from pipeledger.settings.explain import near, validate
from pipeledger.settings.lines import key_lines
from pipeledger.settings.model import (
    VERSION,
    Connection,
    Settings,
    currency_code,
)
from pipeledger.settings.postgres import PostgresServing
from pipeledger.settings.rules import check_rules
from pipeledger.settings.secrets import (
    PREFIX,
    check_secrets,
    read_secret_files,
    remember_password,
    remember_secrets,
)
from pipeledger.settings.section import is_loopback
from pipeledger.sources import CONNECTORS, connector

DEFAULT_FILE = "pipeledger.toml"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Valid settings, where each given value came from, and remarks for the user."""

    settings: Settings
    path: Path
    origins: Mapping[str, Origin]
    given: frozenset[str]
    """The dotted keys that somebody wrote down; all others have their default."""
    notes: tuple[str, ...]


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
    _check_version(draft)
    _overlay(draft, env)
    given = frozenset(_plain(key) for key, _ in leaves(draft.values))
    raw_sources = draft.values.pop("sources", {})
    base = chosen.resolve().parent
    connections = _connections(draft, raw_sources, base)
    _postgres(draft, base, "serving", PostgresServing)
    _postgres(draft, base, "dashboard", PostgresReading)
    _read_alert_secrets(draft, base)
    settings = validate(draft, Settings, {**draft.values, "connections": tuple(connections)}, "")
    if settings is not None:
        check_rules(draft, settings, raw_sources)
    if draft.problems or settings is None:
        listed = "\n  ".join(draft.listed())
        raise ConfigError(f"the settings cannot be used:\n  {listed}")
    origins = {
        key: Origin(f"{draft.path}:{line}") for key, line in draft.lines.items()
    } | draft.origins
    return Loaded(_resolved(settings, base), draft.path, origins, given, tuple(draft.notes))


def _read_file(path: Path) -> Draft:
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
    return Draft(path, values, key_lines(text))


def _plain(key: str) -> str:
    """The key that a secret file stands for."""
    secret = ("sources.", "serving.", "dashboard.", "alerts.")
    return key.removesuffix("_file") if key.startswith(secret) else key


def _check_version(draft: Draft) -> None:
    """Settings of another version are refused before anything else is said about them.

    Raises:
        ConfigError: the file is of another version.
    """
    found = draft.values.get("version", 1)  # a file that tells none is of the first
    if found == VERSION:
        return
    _, place = draft.where("version")
    is_newer = isinstance(found, int) and found > VERSION
    way_out = (
        "A newer release wrote them: install that one, or take the file from before the upgrade."
        if is_newer
        else f"Compare with pipeledger.example.toml, then set version = {VERSION}."
    )
    raise ConfigError(
        f"{place}: version: settings of version {found!r}, this pipeledger reads version "
        f"{VERSION}. {way_out}"
    )


def _overlay(draft: Draft, env: Mapping[str, str]) -> None:
    """Put the variables over the file's values."""
    for name in sorted(env):
        if not name.startswith(PREFIX):
            continue
        parts = name.removeprefix(PREFIX).lower().split("__")
        target = draft.values
        for part in parts[:-1]:
            step = target.setdefault(part, {})
            if not isinstance(step, dict):
                draft.problems.append((0, f"variable {name}: {part} is no table of the settings"))
                break
            target = step
        else:
            # The variable wins over both ways in which the file may give the value.
            plain = parts[-1].removesuffix("_file")
            for other in {plain, f"{plain}_file"} - {parts[-1]}:
                if ".".join([*parts[:-1], other]) not in draft.origins:
                    target.pop(other, None)
            target[parts[-1]] = _literal(env[name])
            draft.origins[".".join(parts)] = Origin(f"variable {name}")


def _literal(text: str) -> Any:
    """A variable's value: JSON lists and tables are read as such, all else is text."""
    if text[:1] in {"[", "{"}:
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def _connections(draft: Draft, sources: Any, base: Path) -> list[Connection]:
    """Every connection, validated by its connector's model; problems are noted."""
    found: list[Connection] = []
    taken: dict[str, str] = {}
    if not isinstance(sources, dict):
        draft.wrong("sources", "must hold tables such as [sources.hubspot.crm]")
        return found
    for source, instances in sources.items():
        if source not in CONNECTORS:
            draft.wrong(f"sources.{source}", f"unknown source{near(source, CONNECTORS)}")
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
    draft: Draft, source: str, name: str, values: dict[str, Any], base: Path
) -> Connection | None:
    key = f"sources.{source}.{name}"
    found = connector(source)
    home = values.pop("home_currency", None)
    if home is not None:
        try:
            currency_code(str(home))
        except ValueError as error:
            draft.wrong(f"{key}.home_currency", str(error))
    read_secret_files(draft, key, values, found.settings, base)
    remember_secrets(values, found.settings)
    check_secrets(draft, key, values, found.settings)
    _check_places(draft, key, values, base)
    settings = validate(draft, found.settings, values, key)
    if settings is None:
        return None
    if source == "files":
        _check_files(draft, key, name, settings)
    return Connection(name, source, found, settings, home)


def _postgres(
    draft: Draft, base: Path, section: str, model: type[PostgresServing] | type[PostgresReading]
) -> None:
    """Check [serving.postgres] or [dashboard.postgres] by itself: it holds a secret."""
    whole = draft.values.get(section)
    values = whole.get("postgres") if isinstance(whole, dict) else None
    if not isinstance(whole, dict) or not isinstance(values, dict):
        return
    key = f"{section}.postgres"
    read_secret_files(draft, key, values, model, base)
    remember_secrets(values, model)
    check_secrets(draft, key, values, model)
    found = validate(draft, model, values, key)
    draft.values[section] = {**whole, "postgres": found}
    if found is not None:
        remember_password(found.dsn.get_secret_value())


def _read_alert_secrets(draft: Draft, base: Path) -> None:
    """The mail server's password and the webhooks' addresses, as secrets of connections are."""
    alerts = draft.values.get("alerts")
    if not isinstance(alerts, dict):
        return
    hooks = alerts.get("webhooks")
    found: list[tuple[str, Any, type[BaseModel]]] = [("alerts.smtp", alerts.get("smtp"), Smtp)]
    if isinstance(hooks, dict):
        found += [(f"alerts.webhooks.{name}", one, Webhook) for name, one in hooks.items()]
    for key, values, model in found:
        if isinstance(values, dict):
            read_secret_files(draft, key, values, model, base)
            remember_secrets(values, model)
            check_secrets(draft, key, values, model)
            _check_places(draft, key, values, base)


def _check_places(draft: Draft, key: str, values: dict[str, Any], base: Path) -> None:
    """Make paths absolute; note missing ones, and addresses that would leak a credential."""
    folder = values.get("folder")
    if isinstance(folder, str):
        values["folder"] = base / folder
        if not (base / folder).is_dir():
            draft.wrong(f"{key}.folder", f"the folder {base / folder} does not exist")
    authority = values.get("ca_file")
    if isinstance(authority, str):
        values["ca_file"] = str(base / authority)
        if not (base / authority).is_file():
            draft.wrong(f"{key}.ca_file", f"the file {base / authority} does not exist")
    address = values.get("base_url")
    if isinstance(address, str) and (problem := _address_problem(address)):
        draft.wrong(f"{key}.base_url", problem)


def _address_problem(address: str) -> str | None:
    """Why a base address cannot be used, None if it can."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        return f"is no address: {error}"
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return "is no address such as https://api.example.com"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "is more than scheme, host, port and path; a credential has its own key"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "http sends the credential in the open; use https (http is for 127.0.0.1 only)"
    return None


def _check_files(draft: Draft, key: str, name: str, settings: Any) -> None:
    """Two quotas for one person and period are wrong before anything runs."""
    from connectors.files.folder import check_duplicates

    if "quotas" not in settings.tables or not settings.folder.is_dir():
        return
    try:
        for problem in check_duplicates(settings, name, "quotas"):
            draft.wrong(f"{key}.tables.quotas", problem)
    except (PipeledgerError, OSError) as error:
        draft.wrong(f"{key}.tables.quotas", str(error))


def _resolved(settings: Settings, base: Path) -> Settings:
    """Relative paths count from the settings file."""
    paths = settings.paths
    return settings.model_copy(
        update={
            "exports": tuple(
                one.model_copy(update={"folder": base / one.folder}) for one in settings.exports
            ),
            "paths": paths.model_copy(
                update={
                    "landing": str(base / paths.landing),
                    "warehouse": base / paths.warehouse,
                    "serving": base / paths.serving,
                    "state": base / paths.state,
                }
            ),
        }
    )
