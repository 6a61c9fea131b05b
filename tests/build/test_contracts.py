"""A mart is what its contract tells readers, column by column, or what it was before."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.artifacts.resources.v1.components import ColumnInfo

from pipeledger.dbt_runs import Dbt, dbt_environment
from pipeledger.pipeline import warehouse_of
from pipeledger.publish import checksum
from pipeledger.warehouse import dbt_vars
from tests.e2e.road import Road, connect

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("small")]

MARTS = {"added": "fct_deal_version", "anew": "dim_stage"}
"""One to which builds add rows, and one that every build makes anew."""


def _retyped(columns: dict[str, ColumnInfo]) -> dict[str, ColumnInfo]:
    first, *others = columns.values()
    return {one.name: one for one in (ColumnInfo(first.name, data_type="bigint"), *others)}


def _reordered(columns: dict[str, ColumnInfo]) -> dict[str, ColumnInfo]:
    return dict(reversed(columns.items()))


def _lacking(columns: dict[str, ColumnInfo]) -> dict[str, ColumnInfo]:
    _, *others = columns.values()
    return {one.name: one for one in others}


def _longer(columns: dict[str, ColumnInfo]) -> dict[str, ColumnInfo]:
    return columns | {"promised": ColumnInfo("promised", data_type="date")}


@pytest.mark.parametrize("mart", MARTS.values(), ids=MARTS)
def test_a_broken_contract_is_told_and_what_stood_before_it_stays(
    small_road: Road, tmp_path: Path, mart: str
) -> None:
    """A BI tool holds on to names, order and types; dbt itself would sort the columns silently."""
    standing = warehouse_of(small_road.settings)
    shutil.copytree(standing.parent, tmp_path / "warehouse")
    warehouse = tmp_path / "warehouse" / standing.name
    as_of = small_road.settings.clock
    assert as_of is not None
    said: dict[str, list[str]] = {}
    with duckdb.connect(str(warehouse)) as db:
        # What a build that was committed would replace.
        db.execute(f"update marts.{mart} set connection = 'as it stood'")
        db.execute("update intermediate.int_deal_inputs set is_changed = true")
        before = checksum(db, "marts", mart)

    with dbt_environment(warehouse, as_of):
        for change in (_retyped, _lacking, _longer, _reordered):
            dbt = Dbt(warehouse, dbt_vars(small_road.settings))
            node: Any = dbt.manifest.nodes[f"model.pipeledger.{mart}"]
            node.columns = change(node.columns)
            ((result,), *_) = dbt.run("run", "--select", mart)
            said[change.__name__] = [str(result.status), str(result.message)]
            with connect(warehouse) as db:
                assert before == checksum(db, "marts", mart)

    assert {"error"} == {status for status, _ in said.values()}
    for wrong in (_retyped, _lacking, _longer):
        assert "This model has an enforced contract that failed" in said[wrong.__name__][1]
    assert "data type mismatch" in said["_retyped"][1]
    assert "missing in contract" in said["_lacking"][1]
    assert "promised" in said["_longer"][1]
    first = next(iter(node.columns))
    assert f"in another order, or by other names of types: {first} " in said["_reordered"][1]
