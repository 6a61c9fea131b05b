"""Diff: what changed in a mart between two publications, and the landed versions that say why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.base.errors import PipeledgerError
from connectors.base.stream import Record
from pipeledger.diff import diff
from pipeledger.editions import published_edition
from pipeledger.landing import Landing
from pipeledger.lineage import streams_above
from pipeledger.settings import Settings
from pipeledger.settings.model import Paths

MONDAY = datetime(2026, 10, 12, 6, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
FIRST, SECOND = "20261012T060000000000-aaaa", "20261013T060000000000-bbbb"
MANIFEST = {
    "nodes": {
        "model.p.fct_deal": {"resource_type": "model", "name": "fct_deal"},
        "model.p.mart_quota_gap": {"resource_type": "model", "name": "mart_quota_gap"},
        "test.p.unique_deal": {
            "resource_type": "test",
            "test_metadata": {"name": "unique"},
            "attached_node": "model.p.fct_deal",
            "column_name": "deal_key",
        },
        "test.p.unique_gap": {
            "resource_type": "test",
            "test_metadata": {"name": "unique"},
            "attached_node": "model.p.mart_quota_gap",
            "column_name": "quota_gap_key",
        },
        "test.p.range": {"resource_type": "test", "test_metadata": {"name": "never_null"}},
    },
    "sources": {
        "source.p.deals": {"identifier": "hubspot__deals"},
        "source.p.invoices": {"identifier": "stripe__invoices"},
    },
    "parent_map": {
        "model.p.fct_deal": ["source.p.deals"],
        "model.p.mart_quota_gap": ["model.p.fct_deal"],
    },
}


@dataclass(frozen=True, slots=True)
class World:
    """Settings, landing, and two publications a day apart."""

    settings: Settings
    landing: Landing

    def compare(self, mart: str, limit: int = 20) -> dict[str, Any]:
        """The mart of Monday against Tuesday's."""
        older = published_edition(self.settings, "previous")
        newer = published_edition(self.settings, "current")
        assert older is not None
        assert newer is not None
        return diff(self.settings, self.landing, mart, older, newer, limit)


def record(number: int, amount: str, at: datetime) -> Record:
    """A landed deal."""
    return Record(
        str(number), f'{{"id":"{number}","amount":{amount},"name":"Ann {amount}"}}'.encode(), at
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Deal 1 is edited, 2 stays, 3 vanishes, 4 is new; the team's gap follows."""
    settings = Settings(
        paths=Paths(
            landing=str(tmp_path / "landing"),
            warehouse=tmp_path / "warehouse",
            serving=tmp_path / "serving",
            state=tmp_path / "state",
        )
    )
    (tmp_path / "warehouse" / "dbt").mkdir(parents=True)
    (tmp_path / "warehouse" / "dbt" / "manifest.json").write_text(json.dumps(MANIFEST))
    landing = Landing(settings.paths.landing)
    old = [record(1, "100.10", MONDAY), record(2, "5.00", MONDAY), record(3, "7.00", MONDAY)]
    landing.append("hubspot", "deals", "crm", old, "s1")
    new = [record(1, "200.20", TUESDAY), record(4, "9.00", TUESDAY)]
    landing.append("hubspot", "deals", "crm", new, "s2")
    landing.append("stripe", "invoices", "bills", [Record("in_1", b"{}", TUESDAY)], "s3")
    publication(
        settings.paths.serving / f"{FIRST}.duckdb",
        MONDAY,
        {1: ("100.10", "s1:0"), 2: ("5.00", "s1:1"), 3: ("7.00", "s1:2")},
        "112.10",
    )
    # Deal 2 was landed again without a change: its version id differs, its content does not.
    publication(
        settings.paths.serving / f"{SECOND}.duckdb",
        TUESDAY,
        {1: ("200.20", "s2:0"), 2: ("5.00", "s1:1"), 4: ("9.00", "s2:1")},
        "214.20",
    )
    (settings.paths.serving / "current.duckdb").symlink_to(f"{SECOND}.duckdb")
    return World(settings, landing)


def publication(
    path: Path, as_of: datetime, deals: Mapping[int, tuple[str, str]], won: str
) -> None:
    """A serving file with two marts."""
    path.parent.mkdir(exist_ok=True)
    with duckdb.connect(str(path)) as db:
        db.execute("create schema marts")
        db.execute("create schema meta")
        db.execute(
            "create table meta.builds as select ? as build_id, ?::timestamptz as as_of",
            [path.stem, as_of],
        )
        db.execute(
            "create table marts.fct_deal (deal_key varchar, amount_rc decimal(18, 4), "
            "raw_version_id varchar)"
        )
        for number, (amount, version) in deals.items():
            db.execute(
                "insert into marts.fct_deal values (?, ?, ?)",
                [f"crm:{number}", amount, f"hubspot__deals:crm:{number}:{version}"],
            )
        db.execute(
            "create table marts.mart_quota_gap as select 'team|q4' as quota_gap_key, "
            "cast(? as decimal(18, 4)) as won_rc, cast(? as date) as as_of_date",
            [won, as_of.date()],
        )


def test_rows_are_counted_as_added_removed_changed_and_equal(world: World) -> None:
    """The first thing that one asks of two reports."""
    found = world.compare("fct_deal")

    names = ("added", "removed", "changed", "equal")
    assert {"added": 1, "removed": 1, "changed": 1, "equal": 1} == {n: found[n] for n in names}
    assert [("changed", "crm:1"), ("removed", "crm:3"), ("added", "crm:4")] == [
        (row["change"], row["key"]) for row in found["rows"]
    ]


def test_a_changed_row_shows_both_values_and_the_version_that_changed_it(world: World) -> None:
    """Its cause must name a record of the source, or it explains nothing."""
    (row,) = [row for row in world.compare("fct_deal")["rows"] if row["key"] == "crm:1"]

    assert ["amount_rc"] == list(row["columns"])
    assert ("100.1000", "200.2000") == tuple(map(str, row["columns"]["amount_rc"].values()))
    (cause,) = row["causes"]
    assert ("hubspot", "deals", "crm", "1") == tuple(
        cause[name] for name in ("source", "stream", "connection", "record_id")
    )
    assert TUESDAY == cause["observed_at"]
    assert {"amount": {"from": Decimal("100.10"), "to": Decimal("200.20")}} == cause["fields"]


def test_what_names_a_person_is_not_shown(world: World) -> None:
    """A diff is pasted into a ticket like a trace."""
    assert "Ann" not in str(world.compare("fct_deal"))


def test_a_summed_row_is_explained_by_what_landed_for_its_mart(world: World) -> None:
    """A team's row has no record of its own; invoices are no part of a quota gap."""
    found = world.compare("mart_quota_gap")

    (row,) = found["rows"]
    assert ["won_rc"] == list(row["columns"])
    assert [] == row["causes"]
    assert [{"source": "hubspot", "stream": "deals", "records": 2}] == found["moved"]


def test_the_limit_bounds_the_rows_and_not_the_counts(world: World) -> None:
    """A mart of a million rows is diffed too."""
    found = world.compare("fct_deal", limit=1)

    assert 1 == len(found["rows"])
    assert (1, 1, 1) == (found["added"], found["removed"], found["changed"])


def test_a_column_that_only_one_side_has_is_named(world: World) -> None:
    """A new release adds columns; its rows are still comparable."""
    with duckdb.connect(str(world.settings.paths.serving / f"{SECOND}.duckdb")) as db:
        db.execute("alter table marts.fct_deal add column loss_reason varchar")

    found = world.compare("fct_deal")

    assert {"only_from": [], "only_to": ["loss_reason"]} == found["columns"]
    assert 1 == found["changed"]


def test_a_build_is_found_by_the_beginning_of_its_id(world: World) -> None:
    """Ids are long; `status` and a file listing show them."""
    side = published_edition(world.settings, "20261012")

    assert side is not None
    assert (FIRST, MONDAY) == (side.name, side.as_of)
    assert published_edition(world.settings, "2025") is None
    with pytest.raises(PipeledgerError, match="2 kept builds begin with 2026"):
        published_edition(world.settings, "2026")


def test_what_cannot_be_compared_is_said(world: World) -> None:
    """Each of them would otherwise read as "nothing changed"."""
    side = published_edition(world.settings, "current")
    assert side is not None

    with pytest.raises(PipeledgerError, match="both sides are"):
        diff(world.settings, world.landing, "fct_deal", side, side, 20)
    with pytest.raises(PipeledgerError, match=f"there is no mart fct_deals in {FIRST}"):
        world.compare("fct_deals")
    (world.settings.paths.serving / f"{FIRST}.duckdb").unlink()
    with pytest.raises(PipeledgerError, match="no publication before the current one"):
        published_edition(world.settings, "previous")


def test_the_streams_above_are_those_of_every_ancestor() -> None:
    """Near and far ones; not those of other marts."""
    assert {("hubspot", "deals")} == streams_above(MANIFEST, "mart_quota_gap")
    assert set() == streams_above(MANIFEST, "mart_of_another_release")
