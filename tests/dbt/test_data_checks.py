"""The seed of checks names every check that a model makes, and no other."""

import csv
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"


def test_the_seed_knows_every_check_and_no_other() -> None:
    """A check without points costs the score nothing; one that no model makes looks clean."""
    models = (*PROJECT.glob("models/intermediate/int_check_*.sql"),)
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (*models, PROJECT / "models" / "intermediate" / "int_deal_signals.sql")
    )
    with (PROJECT / "seeds" / "data_checks.csv").open(encoding="utf-8", newline="") as lines:
        listed = [row["check_id"] for row in csv.DictReader(lines)]

    made = set(re.findall(r"'([BDQRS]-\d\d)'", text))

    assert len(listed) == len(set(listed))
    assert made == set(listed)
