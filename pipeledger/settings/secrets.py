"""Secrets of the settings: found by type, read from files, never shown.

``token_file`` names a file that holds ``token``; the same works as a variable
(``PIPELEDGER__SOURCES__HUBSPOT__CRM__TOKEN_FILE``).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from connectors.base.redact import remember
from pipeledger.settings.draft import Draft, Origin

PREFIX = "PIPELEDGER__"
UNREADABLE = "unreadable-file-noted-above"
_PLACEHOLDER = re.compile(
    r"^(<.*>|x{3,}|\*+|change[-_ ]?me|todo|replace[-_ ]?me|your[-_ ].*|secret|password|token"
    r"|example|\.\.\.)$",
    re.IGNORECASE,
)


def variable(key: str) -> str:
    """The environment variable of a dotted key."""
    return PREFIX + key.replace(".", "__").upper()


def secret_fields(model: type[BaseModel]) -> set[str]:
    """Names of a model's secret fields."""

    def is_secret(annotation: Any) -> bool:
        return annotation is SecretStr or any(is_secret(arg) for arg in get_args(annotation))

    return {n for n, info in model.model_fields.items() if is_secret(info.annotation)}


def read_secret_files(
    draft: Draft, key: str, values: dict[str, Any], model: type[BaseModel], base: Path
) -> None:
    """Replace ``token_file`` by ``token`` with the file's content; problems are noted."""
    for name in [name for name in values if name.endswith("_file")]:
        plain = name.removesuffix("_file")
        if name in model.model_fields or plain not in model.model_fields:
            continue
        path = base / str(values.pop(name))
        if plain in values:
            draft.wrong(f"{key}.{name}", f"give either {plain} or {name}, not both")
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            draft.wrong(f"{key}.{name}", f"the file {path} cannot be read: {reason}")
            values[plain] = UNREADABLE
            continue
        if path.stat().st_mode & 0o077:
            draft.notes.append(
                f"{key}.{name}: others may read {path}; take their rights away (chmod 600)"
            )
        values[plain] = text
        draft.origins[f"{key}.{plain}"] = Origin(f"file {path}")


def check_secrets(draft: Draft, key: str, values: dict[str, Any], model: type[BaseModel]) -> None:
    """Strip white space, and note empty and placeholder secrets by their variable's name."""
    for name in sorted(secret_fields(model) & set(values)):
        full = f"{key}.{name}"
        stripped = str(values[name]).strip()
        if stripped != str(values[name]):
            values[name] = stripped
            draft.notes.append(f"{full}: white space around the value was dropped")
        if not stripped or _PLACEHOLDER.match(stripped):
            draft.wrong(
                full, f"is empty or a placeholder; set {variable(full)} or {variable(full)}_FILE"
            )
        elif full not in draft.origins:
            draft.notes.append(
                f"{full}: a secret in the settings file is easily shared by mistake; "
                f"{variable(full)} or {variable(full)}_FILE would keep it out"
            )


def remember_secrets(values: Mapping[str, Any], model: type[BaseModel]) -> None:
    """Mask every secret from now on, before anything can fail and talk about it."""
    for name in secret_fields(model) & set(values):
        if values[name] != UNREADABLE:
            remember(str(values[name]).strip())


def remember_password(dsn: str) -> None:
    """Mask the password of a connection string by itself, too: a server may repeat it."""
    from psycopg.conninfo import conninfo_to_dict

    password = conninfo_to_dict(dsn).get("password")
    if password:
        remember(str(password))
