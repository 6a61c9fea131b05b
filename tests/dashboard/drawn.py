"""What a page shows: its tables, tiles, links and pictures, read off what goes to the browser."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dash import dcc, html

from dashboard.app import MODULES
from dashboard.view import View


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and where it leads, if anywhere."""

    text: str
    href: str | None


@dataclass(slots=True)
class Panel:
    """A table by rows of cells, and the picture above it as Plotly reads it."""

    rows: list[list[Cell]] = field(default_factory=list)
    figure: dict[str, Any] | None = None


@dataclass(slots=True)
class Drawn:
    """A page."""

    panels: dict[str, Panel] = field(default_factory=dict)
    tiles: dict[str, Cell] = field(default_factory=dict)
    lanes: list[list[Cell]] = field(default_factory=list)
    """Of a board: value and number of the deals of each stage."""


def draw(view: View, page: str) -> Drawn:
    """Draw a page without a browser and read it."""
    found = Drawn()
    for component in MODULES[page].build(view):
        _read(component, found, None)
    return found


def _read(component: Any, found: Drawn, panel: Panel | None) -> None:
    if isinstance(component, list | tuple):
        for one in component:
            _read(one, found, panel)
        return
    name = getattr(component, "id", None)
    if isinstance(component, html.Section) and name:
        panel = found.panels.setdefault(name, Panel())
    if isinstance(component, dcc.Graph) and panel is not None:
        panel.figure = getattr(component, "figure", None)
    described = getattr(component, "data-still", None)
    if described is not None:
        for element in json.loads(described):
            _read_still(element, found, panel)
    children = getattr(component, "children", None)
    if children is not None and not isinstance(children, str):
        _read(children, found, panel)


def _read_still(element: Any, found: Drawn, panel: Panel | None) -> None:
    if isinstance(element, str):
        return
    tag, attributes, children = element
    if tag == "section" and "id" in attributes:
        panel = found.panels.setdefault(attributes["id"], Panel())
    if attributes.get("class") == "tile":
        name, number = children[0], children[1]
        found.tiles[_text(name)] = Cell(_text(number), number[1].get("href"))
    if attributes.get("class") == "lane-sum":
        found.lanes.append([Cell(_text(one), one[1].get("href")) for one in children])
    if tag == "tbody" and panel is not None:
        panel.rows = [
            [Cell(_text(cell), next(_links(cell), None)) for cell in row[2]] for row in children
        ]
    for child in children:
        _read_still(child, found, panel)


def _text(element: Any) -> str:
    return element if isinstance(element, str) else "".join(map(_text, element[2]))


def _links(element: Any) -> Iterator[str]:
    if not isinstance(element, str):
        if "href" in element[1]:
            yield element[1]["href"]
        for child in element[2]:
            yield from _links(child)
