"""The dbt site shows of each column one value of a publication."""

from pathlib import Path

import duckdb
import pytest

from connectors.base.errors import PipeledgerError
from pipeledger.site import examples_of, show_examples


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    """A mart with a column that is always empty, and a table that is no mart."""
    path = tmp_path / "one.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("create schema marts")
        db.execute(
            "create table marts.fct_deal as select * from (values "
            "('crm:1', null, 12.50, null), ('crm:2', 'won', null, null)) "
            "as t(deal_key, status, amount_rc, loss_reason)"
        )
        db.execute("create table main.other as select 1 as deal_key")
    return path


def test_an_example_is_a_value_of_the_column_and_the_same_on_every_call(publication: Path) -> None:
    """A site that differs from call to call cannot be compared."""
    found = examples_of(publication)

    assert found == examples_of(publication)
    assert found.pop(("fct_deal", "deal_key")) in {"crm:1", "crm:2"}
    assert {("fct_deal", "status"): "won", ("fct_deal", "amount_rc"): "12.50"} == found


def test_an_example_stands_behind_the_description_of_marts_only() -> None:
    """Staging has columns of the same names and other values."""

    def node(schema: str) -> dict[str, object]:
        columns = {"status": {"description": "Open, won or lost."}, "name": {"description": "N."}}
        return {"name": "fct_deal", "schema": schema, "columns": columns}

    manifest = {"nodes": {"mart": node("marts"), "staging": node("staging")}}
    show_examples(manifest, {("fct_deal", "status"): "w" * 80})

    shown = manifest["nodes"]["mart"]["columns"]
    assert {
        "status": {"description": f"Open, won or lost. Example: `{'w' * 59}…`"},
        "name": {"description": "N."},
    } == shown
    assert node("staging") == manifest["nodes"]["staging"]


def test_a_missing_publication_is_said_with_the_way_out(tmp_path: Path) -> None:
    """It is made by the demo."""
    with pytest.raises(PipeledgerError, match=r"there is no publication .*run `make demo`"):
        examples_of(tmp_path / "none.duckdb")
