"""Whoever looks for a number finds its page."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "docs" / "marts" / "README.md"


def test_the_index_names_every_mart_and_no_other() -> None:
    """A mart that nobody can find is not used; one that is gone sends people astray."""
    models = {path.stem for path in (ROOT / "dbt_project" / "models" / "marts").glob("*.sql")}

    named = re.findall(r"`((?:mart|fct|dim|bridge|map)_\w+)`", INDEX.read_text(encoding="utf-8"))

    assert models == set(named)
    assert len(named) == len(set(named))


def test_every_page_that_the_index_links_exists_and_none_is_left_out() -> None:
    """A page that no index links is read by nobody."""
    pages = {path.name for path in INDEX.parent.glob("*.md")} - {INDEX.name}

    linked = set(re.findall(r"\]\((\w+\.md)\)", INDEX.read_text(encoding="utf-8")))

    assert pages == linked
