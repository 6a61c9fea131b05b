"""What is too large for memory is built in parts of the keys, and must not depend on them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeledger.dbt_runs import Dbt, dbt_environment
from pipeledger.pipeline import warehouse_of
from pipeledger.publish import checksum
from pipeledger.warehouse import dbt_vars
from tests.e2e.road import Road, connect

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("small")]

TABLES = {"int_pipeline_balances": "intermediate", "fct_pipeline_movement": "marts"}


@pytest.fixture
def warehouse(small_road: Road, tmp_path: Path) -> Path:
    """The small company's warehouse, to build in."""
    standing = warehouse_of(small_road.settings)
    shutil.copytree(standing.parent, tmp_path / "warehouse")
    return tmp_path / "warehouse" / standing.name


def rebuilt(road: Road, warehouse: Path) -> list[Any]:
    """What dbt says of the tables that are built in parts."""
    assert road.settings.clock is not None
    with dbt_environment(warehouse, road.settings.clock):
        dbt = Dbt(warehouse, dbt_vars(road.settings))
        return dbt.run("run", "--select", *TABLES)[0]


def test_a_table_that_is_built_in_parts_is_the_table(
    small_road: Road, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that two parts build, or none, is money that a bridge counts twice or loses."""
    with connect(warehouse) as db:
        whole = {name: checksum(db, schema, name) for name, schema in TABLES.items()}
        ((versions,),) = db.execute(
            "select count(*) from intermediate.int_pipeline_versions"
        ).fetchall()
    parts = 7
    monkeypatch.setenv("PIPELEDGER_ROWS_AT_ONCE", str(-(-versions // parts)))

    results = rebuilt(small_road, warehouse)

    assert ["success", "success"] == [str(one.status) for one in results]
    for name in TABLES:
        (ran,) = warehouse.parent.glob(f"dbt/run/**/{name}.sql")
        assert parts == ran.read_text(encoding="utf-8").count("set variable part =")
    with connect(warehouse) as db:
        assert whole == {name: checksum(db, schema, name) for name, schema in TABLES.items()}


@pytest.mark.parametrize("said", ["0", "many"])
def test_a_part_of_no_rows_is_refused_by_the_name_of_its_variable(
    small_road: Road, warehouse: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """Without a word of ours it would be a division by zero in the middle of a build."""
    monkeypatch.setenv("PIPELEDGER_ROWS_AT_ONCE", said)

    first, *_ = rebuilt(small_road, warehouse)

    assert "error" == str(first.status)
    assert f"PIPELEDGER_ROWS_AT_ONCE is {said}: set it to a whole number" in str(first.message)
