"""What is too large for memory is built in parts of the keys, and must not depend on them."""

import shutil
from pathlib import Path

import pytest

from pipeledger.dbt_runs import Dbt, dbt_environment
from pipeledger.pipeline import warehouse_of
from pipeledger.publish import checksum
from pipeledger.warehouse import dbt_vars
from tests.e2e.road import Road, connect

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("small")]

TABLES = {"int_pipeline_balances": "intermediate", "fct_pipeline_movement": "marts"}


def test_a_table_that_is_built_in_parts_is_the_table(
    small_road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that two parts build, or none, is money that a bridge counts twice or loses."""
    standing = warehouse_of(small_road.settings)
    warehouse = tmp_path / "warehouse" / standing.name
    shutil.copytree(standing.parent, warehouse.parent)
    with connect(warehouse) as db:
        whole = {name: checksum(db, schema, name) for name, schema in TABLES.items()}
        ((versions,),) = db.execute(
            "select count(*) from intermediate.int_pipeline_versions"
        ).fetchall()
    parts = 7
    monkeypatch.setenv("PIPELEDGER_ROWS_AT_ONCE", str(-(-versions // parts)))

    assert small_road.settings.clock is not None
    with dbt_environment(warehouse, small_road.settings.clock):
        dbt = Dbt(warehouse, dbt_vars(small_road.settings))
        results, _ = dbt.run("run", "--select", *TABLES)

    assert ["success", "success"] == [str(one.status) for one in results]
    for name in TABLES:
        (ran,) = warehouse.parent.glob(f"dbt/run/**/{name}.sql")
        assert parts == ran.read_text(encoding="utf-8").count("set variable part =")
    with connect(warehouse) as db:
        assert whole == {name: checksum(db, schema, name) for name, schema in TABLES.items()}
