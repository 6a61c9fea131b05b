"""Parts of a page that only show something, as one component in place of hundreds.

Dash takes about a millisecond for each component that it mounts, and a table has a thousand. So a
tree of them goes to the browser as one description, and assets/still.js makes elements of it: of
these tags and attributes alone, with texts as text.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

_ATTRIBUTES = {"className": "class", "tabIndex": "tabindex"}
_LEFT_OUT = frozenset({"children", "key"})


@dataclass(frozen=True, slots=True)
class Element:
    """An element that Dash has no component for, such as a field for a date."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def still(*parts: Any) -> html.Div:
    """The parts as one component; nothing in them can be a callback's input."""
    tree = [described for part in parts for described in _described(part)]
    said: dict[str, Any] = {
        "data-still": json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
    }
    return html.Div(className="still", **said)


def hyphened(**attributes: str) -> dict[str, Any]:
    """Attributes such as aria-label, which Python cannot name."""
    return {name.replace("_", "-"): value for name, value in attributes.items()}


def _described(part: Any) -> list[Any]:
    """A part as [tag, attributes, children]; a text as it is; nothing for nothing."""
    if part is None:
        return []
    if isinstance(part, list | tuple):
        return [described for one in part for described in _described(one)]
    if isinstance(part, Element):
        return [[part.tag, dict(part.attributes), []]]
    if not isinstance(part, Component):
        return [str(part)]
    attributes: dict[str, str] = {}
    tag = type(part).__name__.lower()
    if isinstance(part, dcc.Link):
        tag, attributes["data-follow"] = "a", ""
    known: dict[str, Any] = part.to_plotly_json()["props"]  # type: ignore[no-untyped-call]
    for name, value in known.items():
        if name not in _LEFT_OUT and value is not None:
            attributes[_ATTRIBUTES.get(name, name)] = str(value)
    return [[tag, attributes, _described(getattr(part, "children", None))]]
