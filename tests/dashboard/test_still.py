"""What only shows something goes to the browser as one description."""

import json

from dash import dcc, html

from dashboard.still import hyphened, still


def test_a_tree_is_described_with_its_attributes_and_texts() -> None:
    tree = html.Td(
        [dcc.Link("<b>", href="/deal?key=1", title="t"), None, 5],
        className="num",
        tabIndex=0,
        **hyphened(aria_label="a"),
    )
    said = getattr(still(tree, "end"), "data-still")
    link = ["a", {"data-follow": "", "href": "/deal?key=1", "title": "t"}, ["<b>"]]
    cell = ["td", {"class": "num", "tabindex": "0", "aria-label": "a"}, [link, "5"]]
    assert json.loads(said) == [cell, "end"]
