"""Whoever looks for a number finds its page."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "docs" / "marts" / "README.md"
MARTS = ROOT / "dbt_project" / "models" / "marts"


def test_the_index_names_every_mart_and_no_other() -> None:
    """A mart that nobody can find is not used; one that is gone sends people astray."""
    models = {path.stem for path in MARTS.glob("*.sql")}

    named = re.findall(r"`((?:mart|fct|dim|bridge|map)_\w+)`", INDEX.read_text(encoding="utf-8"))

    assert models == set(named)
    assert len(named) == len(set(named))


def test_every_page_that_the_index_links_exists_and_none_is_left_out() -> None:
    """A page that no index links is read by nobody."""
    pages = {path.name for path in INDEX.parent.glob("*.md")} - {INDEX.name}

    linked = set(re.findall(r"\]\((\w+\.md)\)", INDEX.read_text(encoding="utf-8")))

    assert pages == linked


def relationships() -> Iterator[tuple[str, str, str]]:
    """Each tested way of the marts: parent, child, the child's column."""
    for path in MARTS.glob("*__models.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            for column in model["columns"]:
                for test in column.get("data_tests", ()):
                    if isinstance(test, dict) and "relationships" in test:
                        parent = test["relationships"]["arguments"]["to"][5:-2]
                        yield parent, model["name"], column["name"]


def test_the_picture_shows_the_ways_that_are_tested() -> None:
    """A line that no test holds may lead nowhere; a way that is not drawn is not found."""
    text = (INDEX.parent / "entities.md").read_text(encoding="utf-8")

    drawn = set(re.findall(r"^    (\w+) \S+ (\w+) : (\w+)$", text, re.MULTILINE))

    assert set(relationships()) == drawn


def test_every_edge_case_is_pinned_by_a_test_that_exists() -> None:
    """A rule without a test is a wish; a test that is gone leaves one."""
    rows = re.findall(
        r"^\| (B?\d+) \|.*\| ([^|]+) \|$",
        (INDEX.parent / "edge_cases.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    known = {
        test["name"]
        for path in MARTS.parent.rglob("*__unit_tests.yml")
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"]
    }

    numbers = [*(str(place) for place in range(1, 41)), *(f"B{place}" for place in range(1, 16))]
    assert numbers == [number for number, _ in rows]
    for number, cell in rows:
        names = re.findall(r"`([^`]+)`", cell)
        assert names, f"case {number}"
        for name in names:
            path, _, function = name.partition("::")
            is_known = (
                f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")
                if function
                else name in known
            )
            assert is_known, f"case {number}: {name}"
