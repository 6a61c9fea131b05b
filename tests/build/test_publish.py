"""Publication: readers see the whole old build or the whole new one, whatever happens."""

from pathlib import Path

import duckdb
import pytest

from connectors.base.errors import PipeledgerError
from pipeledger.build import Failure
from pipeledger.publish import checksum, publish
from tests.build.builds import ROWS, built, read, settings_in

OLDEST_READER = 68
"""The newest storage version that DuckDB 1.5 opens; BI tools carry it for a while."""


def test_readers_get_the_marts_and_what_is_known_about_them_and_nothing_else(
    tmp_path: Path,
) -> None:
    """Staging holds what people wrote and mailed; readers have no business there."""
    done = publish(settings_in(tmp_path), built(tmp_path, 1))

    with duckdb.connect(str(done.path), read_only=True) as db:
        schemas = db.execute(
            "select distinct schema_name from duckdb_tables() order by all"
        ).fetchall()
        builds = db.execute("select build_id, n_models from meta.builds").fetchall()
    assert [("marts",), ("meta",)] == schemas
    assert [(done.build_id, 2)] == builds


def test_descriptions_reach_the_reader_as_comments(tmp_path: Path) -> None:
    """A BI tool shows a column's comment; the unit of an amount stands there."""
    done = publish(settings_in(tmp_path), built(tmp_path, 1))

    with duckdb.connect(str(done.path), read_only=True) as db:
        table = db.execute("select comment from duckdb_tables() where table_name = 'fct_deal'")
        assert ("One row per deal; the customer's own.",) == table.fetchone()
        column = db.execute(
            "select comment from duckdb_columns() "
            "where table_name = 'fct_deal' and column_name = 'key'"
        )
        assert ("The deal's key.",) == column.fetchone()


def test_a_mart_that_is_a_view_answers_from_the_tables_of_its_own_file(tmp_path: Path) -> None:
    """It is read where it was published, under whatever name a reader attaches the file."""
    report = built(tmp_path, 1)
    with duckdb.connect(str(report.warehouse)) as db:
        db.execute("create view marts.fct_deal_daily as select key from marts.fct_deal")
        expected = db.execute("select count(*) from marts.fct_deal").fetchone()

    done = publish(settings_in(tmp_path), report)
    report.warehouse.unlink()

    with duckdb.connect(":memory:") as db:
        db.execute(f"attach '{done.path}' as anything (read_only)")
        found = db.execute("select count(*) from anything.marts.fct_deal_daily").fetchone()
    assert expected == found
    assert "fct_deal_daily" not in done.checksums


def test_the_file_is_written_for_the_oldest_reader(tmp_path: Path) -> None:
    """DuckDB 1.5 refuses a file of storage version 69 outright."""
    done = publish(settings_in(tmp_path), built(tmp_path, 1))

    version = int.from_bytes(done.path.read_bytes()[12:20], "little")
    assert 64 <= version <= OLDEST_READER


def test_an_error_level_failure_keeps_the_old_publication(tmp_path: Path) -> None:
    """R-02: a number known to be wrong is worse than yesterday's right one."""
    settings = settings_in(tmp_path)
    publish(settings, built(tmp_path, 1))
    broken = built(tmp_path, 2, failures=(Failure("unknown_stage", "error", 1, "deal crm:1"),))

    with pytest.raises(PipeledgerError, match="is not published"):
        publish(settings, broken)

    assert (1, 2 * ROWS) == read(settings.paths.serving)


def test_a_warning_is_published_with_the_marts(tmp_path: Path) -> None:
    """A warning is for the reader of the marts, so it must be where the marts are."""
    warned = built(tmp_path, 1, failures=(Failure("late_invoice", "warn", 3, "three"),))

    done = publish(settings_in(tmp_path), warned)

    with duckdb.connect(str(done.path), read_only=True) as db:
        found = db.execute("select check_name, n_rows from meta.check_failures").fetchall()
    assert [("late_invoice", 3)] == found


def test_the_last_three_builds_stay(tmp_path: Path) -> None:
    """A report of this morning can be opened again; the disk does not fill."""
    settings = settings_in(tmp_path)

    done = [publish(settings, built(tmp_path, number)) for number in range(1, 6)]

    left = sorted(path.name for path in settings.paths.serving.iterdir())
    assert sorted([*(one.path.name for one in done[2:]), "current.duckdb"]) == left


def test_a_reader_that_holds_the_old_file_keeps_its_data(tmp_path: Path) -> None:
    """R-06: a dashboard may hold its connection all day, over many publications."""
    settings = settings_in(tmp_path)
    first = publish(settings, built(tmp_path, 1))

    with duckdb.connect(str(first.path), read_only=True) as reader:
        for number in range(2, 7):
            publish(settings, built(tmp_path, number))
        seen = reader.execute("select min(build), max(build) from marts.fct_deal").fetchone()

    assert (1, 1) == seen
    assert not first.path.exists()


def test_what_a_killed_publication_left_is_cleaned_at_the_next(tmp_path: Path) -> None:
    """K-05: half a file per crash would fill the disk in the end."""
    settings = settings_in(tmp_path)
    serving = settings.paths.serving
    serving.mkdir(parents=True)
    for name in (".20261015T060000000000-dead.partial", ".current.duckdb.4711"):
        (serving / name).write_bytes(b"half")

    publish(settings, built(tmp_path, 1))

    assert [] == [path.name for path in serving.iterdir() if path.name.startswith(".")]


def test_a_build_that_was_killed_before_the_flip_is_cleaned_at_the_next(tmp_path: Path) -> None:
    """K-05: it was never published, and would push a good build out of the last three."""
    settings = settings_in(tmp_path)
    first = publish(settings, built(tmp_path, 1))
    killed = first.path.with_name(f"{built(tmp_path, 2).build_id}.duckdb")
    killed.write_bytes(first.path.read_bytes())

    third = publish(settings, built(tmp_path, 3))

    names = {path.name for path in settings.paths.serving.iterdir()}
    assert {first.path.name, third.path.name, "current.duckdb"} == names


def test_a_checksum_knows_values_and_not_their_order(tmp_path: Path) -> None:
    """Two builds over the same data are compared by it; DuckDB promises no order."""
    with duckdb.connect(str(tmp_path / "some.duckdb")) as db:
        db.execute("create schema marts")
        order = {"up": "asc", "down": "desc"}
        for name, direction in order.items():
            db.execute(
                f"create table marts.{name} as select i as a, i * 2 as b, 'x' as raw_version_id "
                f"from range(100) as r(i) order by i {direction}"
            )
        db.execute("create table marts.swapped as select b as a, a as b from marts.up")
        db.execute("create table marts.doubled as from marts.up union all from marts.up")
        db.execute("create table marts.other as select a, b + (a = 7)::int as b from marts.up")

        sums = {
            name: checksum(db, "marts", name)[1]
            for name in ("up", "down", "swapped", "doubled", "other")
        }

    assert sums["up"] == sums["down"]
    assert 4 == len({sums[name] for name in ("up", "swapped", "doubled", "other")})
