"""What is too large for memory is built in parts of the keys, and must not depend on them."""

import math
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeledger.dbt_runs import Dbt, dbt_environment
from pipeledger.kept import hand_over_built_deals
from pipeledger.pipeline import warehouse_of
from pipeledger.publish import checksum
from pipeledger.warehouse import dbt_vars
from tests.e2e.road import Road, connect

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("small")]

TABLES = {
    "intermediate.int_deal_field_events": ("int_deal_inputs", 2),
    "intermediate.int_deal_versions": ("int_deal_inputs", 4),
    "marts.fct_deal_version": ("int_deal_inputs", 2),
    "marts.fct_deal_stage": ("fct_deal_version", 1),
    "marts.fct_deal": ("int_deals_current", 1),
    "intermediate.int_deal_edits": ("fct_deal_version", 1),
    "marts.fct_deal_change": ("int_deal_edits", 0.25),
    "intermediate.int_funnel_positions": ("int_pipeline_inputs", 2),
    "marts.mart_deal_billing_recon": ("fct_deal", 0.4),
    "marts.mart_funnel_cohort": ("int_funnel_positions", 0.05),
    "intermediate.int_pipeline_versions": ("int_pipeline_inputs", "0.5 * n_versions"),
    "intermediate.int_pipeline_balances": ("int_pipeline_inputs", "n_versions"),
    "marts.fct_pipeline_movement": ("int_pipeline_inputs", "n_versions"),
    "intermediate.int_forecast_open": ("fct_deal_version", 0.15),
}
"""What is built in parts, the model of whose rows it takes so many at once, and as how many each
of them counts."""
ROWS = 20


@pytest.fixture
def warehouse(small_road: Road, tmp_path: Path) -> Path:
    """The small company's warehouse as after its first build, to build in: every deal is news."""
    standing = warehouse_of(small_road.settings)
    shutil.copytree(standing.parent, tmp_path / "warehouse")
    path = tmp_path / "warehouse" / standing.name
    with duckdb.connect(str(path)) as db:
        db.execute("update intermediate.int_deal_inputs set is_changed = true")
        db.execute("update intermediate.int_pipeline_inputs set is_changed = true")
    return path


def rebuilt(road: Road, warehouse: Path, *options: str, **changed: str) -> list[Any]:
    """What dbt says of the tables built in parts; ``changed`` configures int_deal_versions."""
    assert road.settings.clock is not None
    names = [table.partition(".")[2] for table in TABLES]
    with dbt_environment(warehouse, road.settings.clock):
        dbt = Dbt(warehouse, dbt_vars(road.settings))
        for name, value in changed.items():
            setattr(dbt.manifest.nodes["model.pipeledger.int_deal_versions"].config, name, value)
        return dbt.run("run", "--select", *names, *options)[0]


def sums(db: Any) -> dict[str, tuple[int, str]]:
    """Rows and checksum of each table."""
    return {table: checksum(db, *table.split(".")) for table in TABLES}


def parts_of_all(db: Any) -> dict[str, int]:
    """How many parts each table has when every deal is news."""
    db.execute("set search_path = 'intermediate,marts'")
    parts = {}
    for table, (of, each) in TABLES.items():
        ((rows,),) = db.execute(f"select sum({each}) from {of}").fetchall()
        parts[table] = math.ceil(float(rows) / ROWS)
    return parts


def parts_built(warehouse: Path) -> dict[str, int]:
    """How many parts the last run built each table in; one part is not told as such."""
    found = {}
    for table in TABLES:
        (ran,) = warehouse.parent.glob(f"dbt/run/**/{table.partition('.')[2]}.sql")
        told = ran.read_text(encoding="utf-8").count("set variable part_from =")
        found[table] = max(told, 1)
    return found


@pytest.mark.parametrize("options", [(), ("--full-refresh",)], ids=["added", "anew"])
def test_a_table_that_is_built_in_parts_is_the_table(
    small_road: Road, warehouse: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """A row that two parts build, or none, is money that a bridge counts twice or loses."""
    with connect(warehouse) as db:
        whole, parts = sums(db), parts_of_all(db)
    monkeypatch.setenv("PIPELEDGER_ROWS_AT_ONCE", str(ROWS))

    results = rebuilt(small_road, warehouse, *options)

    assert ["success"] * len(TABLES) == [str(one.status) for one in results]
    assert min(parts.values()) > 1
    assert parts == parts_built(warehouse)
    with connect(warehouse) as db:
        assert whole == sums(db)


@pytest.mark.parametrize("said", ["0", "many"])
def test_a_part_of_no_rows_is_refused_by_the_name_of_its_variable(
    small_road: Road, warehouse: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """Without a word of ours it would be a division by zero in the middle of a build."""
    monkeypatch.setenv("PIPELEDGER_ROWS_AT_ONCE", said)

    first, *_ = rebuilt(small_road, warehouse)

    assert "error" == str(first.status)
    assert f"PIPELEDGER_ROWS_AT_ONCE is {said}: set it to a whole number" in str(first.message)


def test_a_build_of_few_changed_deals_counts_the_rows_of_these(
    small_road: Road, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part looks through all that stands: a day's changes must not read it thirty times."""
    tables = ("marts.fct_deal_stage", "intermediate.int_deal_edits", "marts.fct_deal_change")
    with connect(warehouse) as db:
        whole, parts = sums(db), parts_of_all(db)
    with duckdb.connect(str(warehouse)) as db:
        hand_over_built_deals(db)
        for inputs in ("int_deal_inputs", "int_deals_retold"):
            db.execute(
                f"update intermediate.{inputs} set is_changed = deal_key in ("
                "select min(deal_key) from marts.fct_deal where currency_code = 'EUR')"
            )
    monkeypatch.setenv("PIPELEDGER_ROWS_AT_ONCE", str(ROWS))

    # The view of the stays asks for the changed deals only once there are others.
    rebuilt(small_road, warehouse, "int_deal_stays")

    found = parts_built(warehouse)
    assert [] == [table for table in tables if found[table] > 0.8 * parts[table]]
    with connect(warehouse) as db:
        assert whole == sums(db)


def test_rows_are_added_to_a_table_of_their_columns_only(small_road: Road, warehouse: Path) -> None:
    """A column that the model lost would be empty from here on, and nobody would know why."""
    with duckdb.connect(str(warehouse)) as db:
        db.execute("alter table intermediate.int_deal_versions add column forgotten integer")

    results = rebuilt(small_road, warehouse)

    (refused,) = [one for one in results if str(one.status) == "error"]
    assert "int_deal_versions" == refused.node.name
    assert "forgotten" in str(refused.message)
    assert "build it anew with --full-refresh" in str(refused.message)


@pytest.mark.parametrize(
    "changed", [{"unique_key": "deal_key"}, {"incremental_strategy": "delete+insert"}]
)
def test_what_an_incremental_model_cannot_do_is_refused(
    small_road: Road, warehouse: Path, changed: dict[str, str]
) -> None:
    """Whoever knows dbt expects rows to be replaced by their key: ours are not."""
    first, second, *_ = rebuilt(small_road, warehouse, **changed)

    refused = {one.node.name: str(one.message) for one in (first, second)}["int_deal_versions"]
    assert "an incremental model of this project appends" in refused
