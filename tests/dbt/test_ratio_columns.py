"""The hunt for infinity knows every column in which it could hide."""

import re
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
HUNT = PROJECT / "tests" / "no_ratio_is_infinite_or_not_a_number.sql"


def contracted_doubles() -> set[tuple[str, str]]:
    found = set()
    for path in sorted((PROJECT / "models" / "marts").glob("_*__models.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            for column in model.get("columns", ()):
                if column.get("data_type", "").lower() in {"double", "float"}:
                    found.add((model["name"], column["name"]))
    return found


def hunted_columns() -> set[tuple[str, str]]:
    text = HUNT.read_text(encoding="utf-8")
    found = set()
    for mart, columns in re.findall(r"'(\w+)': \[([^\]]*)\]", text):
        found |= {(mart, column) for column in re.findall(r"'(\w+)'", columns)}
    return found


def test_the_hunt_for_infinity_looks_at_every_double_of_the_marts() -> None:
    """A ratio added without the hunt could show infinity to a reader of the marts."""
    promised = contracted_doubles()

    hunted = hunted_columns()

    assert promised
    assert promised == hunted
