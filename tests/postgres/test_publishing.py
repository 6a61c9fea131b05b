"""Publication in PostgreSQL: exact values, stable tables, and one build or the other."""

from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from pydantic import SecretStr

from pipeledger.build import Failure
from pipeledger.doctor import examine
from pipeledger.guard import FAILED, LOCKED
from pipeledger.pipeline import publish_and_note
from pipeledger.postgres import publishing
from pipeledger.postgres.outcome import Outcome
from pipeledger.postgres.publishing import staged
from pipeledger.publish import ChecksFailedError, publish
from pipeledger.settings.postgres import PostgresServing
from pipeledger.status import status
from tests.build.builds import ROWS, built, read, settings_in
from tests.postgres.server import PUBLISHER, Server, serving

VALUES = {
    "amount": ("decimal(18,4)", "99999999999999.9900"),
    "price": ("decimal(38,12)", "-0.000000000001"),
    "ratio": ("double", "0.1"),
    "count": ("bigint", "-9223372036854775808"),
    "at": ("timestamptz", "2026-03-29 01:59:59.123456+00"),
    "day": ("date", "0001-01-01"),
    "is_won": ("boolean", "true"),
    "name": ("varchar", '"Müller", O\'Neil \\N\n\t\\. 株'),
    "empty": ("varchar", ""),
    "missing": ("varchar", None),
}


def write(path: Path, *tables: str) -> Path:
    """A serving file made by hand."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("create schema marts")
        db.execute("create schema meta")
        db.execute("create table meta.builds as select 'b' as build_id, now() as as_of")
        for statement in tables:
            db.execute(statement)
    return path


def put(settings: PostgresServing, path: Path) -> Outcome:
    """Publish a serving file."""
    with staged(settings, path, path.stem) as made:
        return made.commit()


def test_every_value_arrives_as_it_was(server: Server, tmp_path: Path) -> None:
    """A cent that is lost on the way to a BI tool is lost for whoever reads there."""
    columns = ", ".join(
        f'cast({"null" if text is None else _quoted(text)} as {kind}) as "{name}"'
        for name, (kind, text) in VALUES.items()
    )
    listed = "['a', null, 'b\"c\\', 'd,e', ''] as many, {'a': [1, 2]} as deep, [1, 2] as numbers"
    path = write(tmp_path / "one.duckdb", f"create table marts.m as select {columns}, {listed}")
    database = server.database()

    done = put(serving(server, database), path)

    assert done.error is None
    names = [name for name in VALUES if name not in {"ratio", "is_won"}]
    texts = ", ".join(f'"{name}"::text' for name in names)
    found = server.rows(database, f"select {texts} from marts.m")[0]
    assert {name: VALUES[name][1] for name in names} == dict(zip(names, found, strict=True))
    rest = "select ratio, is_won, many, deep, numbers from marts.m"
    many = ["a", None, 'b"c\\', "d,e", ""]
    assert [(0.1, True, many, {"a": [1, 2]}, [1, 2])] == server.rows(database, rest)
    types = (
        "select column_name, data_type, numeric_precision, numeric_scale "
        "from information_schema.columns where table_name = 'm' and column_name in "
        "('amount', 'at', 'many')"
    )
    assert {
        ("amount", "numeric", 18, 4),
        ("at", "timestamp with time zone", None, None),
        ("many", "ARRAY", None, None),
    } == set(server.rows(database, types))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def test_what_did_not_change_is_not_written_and_what_others_granted_stays(
    server: Server, tmp_path: Path
) -> None:
    """A table dropped and made anew loses the grants and views of the people who work on it."""
    database = server.database()
    settings = serving(server, database)
    path = tmp_path / "one.duckdb"
    same = "create table marts.same as select 1 as key, 'x' as raw_version_id"
    put(settings, write(path, same, "create table marts.other as select 1 as key"))
    with psycopg.connect(server.dsn(database, "admin"), autocommit=True) as admin:
        admin.execute(f"create role friend_of_{database} login")
        admin.execute(f"grant usage on schema marts to friend_of_{database}")
        admin.execute(f"grant select on marts.other to friend_of_{database}")
        admin.execute("create view public.mine as select key from marts.other")
    before = server.rows(database, "select xmin::text from marts.same")

    done = put(settings, write(path, same, "create table marts.other as select 2 as key"))

    assert (["other"], 1, []) == (done.rewritten, done.equal, done.notes)
    assert before == server.rows(database, "select xmin::text from marts.same")
    friend = f"friend_of_{database}"
    assert [(2,)] == server.rows(database, "select key from marts.other", friend)
    assert [(2,)] == server.rows(database, "select key from public.mine", "admin")
    # A new name of the raw record is no change of the numbers, but it is one of the table.
    renamed = same.replace("'x'", "'y'")
    done = put(settings, write(path, renamed, "create table marts.other as select 2 as key"))
    assert (["same"], 1) == (done.rewritten, done.equal)


def test_a_mart_that_gains_loses_or_retypes_a_column_keeps_its_table(
    server: Server, tmp_path: Path
) -> None:
    """R-08: a reader's query on the old column finds nothing rather than an old build."""
    database = server.database()
    settings = serving(server, database)
    path = tmp_path / "one.duckdb"
    old = "create table marts.m as select 1 as key, 'old' as gone, 5::bigint as size"
    put(settings, write(path, old, "create table marts.left as select 1 as key"))
    number = "select 'marts.m'::regclass::oid"
    before = server.rows(database, number)

    new = "create table marts.m as select 2 as key, 1.50::decimal(9,2) as size, 'new' as fresh"
    done = put(settings, write(path, new))

    assert before == server.rows(database, number)
    query = "select key, gone, size::text, fresh from marts.m"
    assert [(2, None, "1.50", "new")] == server.rows(database, query)
    assert [] == server.rows(database, "select * from marts.left")
    assert [
        "m.size was bigint, it is numeric(9,2)",
        "m.fresh is new",
        "m.gone is no longer published; the column stays, empty",
        "left is no longer published; the table stays, empty",
    ] == done.notes
    assert [] == put(settings, write(path, new)).notes


def test_a_type_on_which_a_view_of_others_hangs_is_not_changed(
    server: Server, tmp_path: Path
) -> None:
    """To drop somebody's view behind their back would be worse than an old build."""
    database = server.database()
    settings = serving(server, database)
    path = tmp_path / "one.duckdb"
    put(settings, write(path, "create table marts.m as select 1::bigint as size"))
    with psycopg.connect(server.dsn(database, "admin"), autocommit=True) as admin:
        admin.execute("create view public.mine as select size from marts.m")

    done = put(settings, write(path, "create table marts.m as select 'large' as size"))

    assert done.error is not None
    assert "view mine depends on column" in done.error
    assert [(1,)] == server.rows(database, "select size from marts.m")


def test_descriptions_stand_beside_tables_and_columns(server: Server, tmp_path: Path) -> None:
    """A BI tool shows a column's comment; the unit of an amount stands there."""
    database = server.database()

    publish(settings_in(tmp_path, serving(server, database)), built(tmp_path, 1))

    query = (
        "select obj_description('marts.fct_deal'::regclass), "
        "col_description('marts.fct_deal'::regclass, 1)"
    )
    expected = ("One row per deal; the customer's own.", "The deal's key.")
    assert [expected] == server.rows(database, query)


def test_a_server_that_is_down_holds_nothing_back_and_the_next_publication_mends_it(
    server: Server, tmp_path: Path
) -> None:
    """R-07: the file's readers get the build, and nobody is told that PostgreSQL has it."""
    database = server.database()
    good = settings_in(tmp_path, serving(server, database))
    nowhere = f"host={tmp_path} dbname={database} user={PUBLISHER} password=swordfish-of-the-sea"
    down = settings_in(tmp_path, PostgresServing(dsn=SecretStr(nowhere)))
    publish_and_note(good, built(tmp_path, 1))

    failed = publish_and_note(down, built(tmp_path, 2))

    assert failed.exit_code == FAILED
    assert (2, 2 * ROWS) == read(good.paths.serving)
    told = status(good)["postgres"]
    assert (False, built(tmp_path, 1).build_id) == (told["is_current"], told["build_id"])
    assert str(tmp_path) in told["error"]
    assert "swordfish" not in told["error"]
    assert [(1,)] == server.rows(database, "select distinct build from marts.fct_deal")

    publish_and_note(good, built(tmp_path, 3))

    assert status(good)["postgres"]["is_current"]
    assert status(good)["postgres"]["error"] is None
    assert [(3,)] == server.rows(database, "select distinct build from marts.fct_deal")


def test_a_second_publisher_is_told_who_holds_the_schema(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K-13: two machines publish the same marts; the second must not mix its rows in."""
    monkeypatch.setattr(publishing, "LOCK_WAIT_SECONDS", 0.0)
    settings = serving(server, server.database())
    first = publish(settings_in(tmp_path / "one"), built(tmp_path / "one", 1))

    with staged(settings, first.path, first.build_id):
        other = tmp_path / "two"
        second = publish(settings_in(other, settings), built(other, 2))

    assert second.exit_code == LOCKED
    assert second.postgres is not None
    assert "is being published by 'pipeledger " in str(second.postgres.error)


def test_a_reader_who_stays_all_day_holds_up_no_publication(server: Server, tmp_path: Path) -> None:
    """R-06: a transaction that is left open keeps its whole old state."""
    database = server.database()
    settings = settings_in(tmp_path, serving(server, database, lock_timeout_seconds=5))
    publish(settings, built(tmp_path, 1))

    with psycopg.connect(server.dsn(database, "admin")) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        builds = "select min(build), max(build), count(*) from marts.fct_deal"
        reader.execute(builds)
        done = publish(settings, built(tmp_path, 2))
        seen = reader.execute(builds).fetchone()

    assert done.exit_code == 0
    assert (1, 1, ROWS) == seen
    assert [(2, 2, ROWS)] == server.rows(database, builds)


async def test_doctor_says_what_is_missing_and_what_is_too_much(
    server: Server, tmp_path: Path
) -> None:
    """Rights are found wanting before the night's run, not in it."""
    database = server.database()
    with psycopg.connect(server.dsn(database, "admin"), autocommit=True) as admin:
        admin.execute(f"create role poor_of_{database} login")

    async def found(user: str, **values: Any) -> dict[str, Any]:
        dsn = SecretStr(server.dsn(database, user))
        settings = settings_in(tmp_path, PostgresServing(dsn=dsn, **values))
        return (await examine(settings))[0]

    poor = await found(f"poor_of_{database}", reader_role=f"readers_of_{database}")
    good = await found(PUBLISHER)
    great = await found("admin")

    assert not poor["ok"]
    assert any(f"create role readers_of_{database} nologin" in line for line in poor["lines"])
    assert any("create schema marts authorization" in line for line in poor["lines"])
    assert good["ok"]
    assert great["ok"]
    assert any("superuser" in line for line in great["lines"])


def test_a_build_of_failed_checks_reaches_neither(server: Server, tmp_path: Path) -> None:
    """R-02: what keeps the file keeps PostgreSQL."""
    database = server.database()
    settings = settings_in(tmp_path, serving(server, database))
    publish(settings, built(tmp_path, 1))
    broken = built(tmp_path, 2, failures=(Failure("a", "error", 1, "x"),))

    with pytest.raises(ChecksFailedError):
        publish(settings, broken)

    assert [(1,)] == server.rows(database, "select distinct build from marts.fct_deal")
