"""The settings as a person checks them: each value, and where it came from."""

import json
from dataclasses import dataclass
from typing import Any

from pipeledger.settings.draft import leaves
from pipeledger.settings.load import Loaded

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Shown:
    """One value: its dotted key, the value with secrets masked, and its place."""

    key: str
    value: Any
    origin: str


def shown(loaded: Loaded) -> list[Shown]:
    """Every value in force, given ones with file and line or variable, secrets masked."""
    content = json.loads(loaded.settings.model_dump_json(exclude={"connections"}))
    content["sources"] = {}
    for one in loaded.settings.connections:
        values = json.loads(one.settings.model_dump_json(by_alias=True))
        if one.home_currency is not None:
            values["home_currency"] = one.home_currency
        content["sources"].setdefault(one.source, {})[one.name] = values
    return [Shown(key, value, _origin(loaded, key)) for key, value in leaves(content)]


def _origin(loaded: Loaded, key: str) -> str:
    """The place of the key, or of an inline table or array that it stands in."""
    if key not in loaded.given:
        return DEFAULT
    while key not in loaded.origins:
        key = key.rpartition(".")[0]
    return loaded.origins[key].text
