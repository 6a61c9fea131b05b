"""The marts by the ways that BI tools come: libpq, ODBC and JDBC give the same values."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import jpype
import psycopg
import pytest

from tests.postgres.server import Server, running, serving
from tests.postgres.test_publishing import put
from tests.programs import program

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drivers")]

DEALS = (
    "create table marts.fct_deal as select * from (values "
    "('crm:1', 'Müller ''& Söhne'' – 株', 99999999999999.9999::decimal(18, 4), 0.25::double, "
    "date '2026-02-28', timestamptz '2026-10-25 00:30:00+00', true, 3::bigint), "
    "('crm:2', '', -0.0001::decimal(18, 4), null, null, null, false, null)) "
    "as d(deal_key, name, amount_rc, probability, closed_date, won_at, is_won, pushes)"
)
COLUMNS = "deal_key, name, amount_rc, probability, closed_date, is_won, pushes"
EXPECTED = [
    (
        *("crm:1", "Müller '& Söhne' – 株", Decimal("99999999999999.9999"), 0.25),
        *(date(2026, 2, 28), True, 3),
    ),
    ("crm:2", "", Decimal("-0.0001"), None, None, False, None),
]


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, str]]:
    """A server on loopback with a publication: server, database and a reader's login."""
    path = tmp_path_factory.mktemp("drivers") / "one.duckdb"
    with duckdb.connect(str(path)) as db:
        for statement in (
            *("create schema marts", "create schema meta", DEALS),
            "create table meta.builds as select 'b' as build_id, timestamptz '2026-10-25' as as_of",
        ):
            db.execute(statement)
    with running(on_loopback=True) as server:
        database = server.database()
        done = put(serving(server, database, restricted_columns=("fct_deal.won_at",)), path)
        assert (None, []) == (done.error, done.notes)
        with psycopg.connect(server.dsn(database, "admin"), autocommit=True) as admin:
            admin.execute("create role analyst login in role pipeledger_read")
        yield server, database, "analyst"


def test_libpq(marts: tuple[Server, str, str]) -> None:
    """The reference: what psycopg gets."""
    server, database, user = marts

    assert EXPECTED == server.rows(database, _query(), user)


def test_odbc(marts: tuple[Server, str, str]) -> None:
    """As Excel and Power BI read; money as exact decimals, and nothing can be written."""
    server, database, user = marts
    program("lib/*/libodbc.so.2")
    driver = program("lib/*/odbc/psqlodbcw.so")
    import pyodbc  # needs the library above

    with pyodbc.connect(
        f"Driver={driver};Server=127.0.0.1;Port={server.port};Database={database};Uid={user};"
        "BoolsAsChar=0",
        timeout=10,
    ) as connection:
        found = [tuple(row) for row in connection.execute(_query()).fetchall()]
        with pytest.raises(pyodbc.Error, match="permission denied"):
            connection.execute("delete from marts.fct_deal")
        connection.rollback()
        with pytest.raises(pyodbc.Error, match="permission denied"):
            connection.execute("select won_at from marts.fct_deal")

    assert EXPECTED == found


def test_jdbc(marts: tuple[Server, str, str]) -> None:
    """As Tableau, Metabase and Superset's cousins of Java read."""
    server, database, user = marts
    program("bin/java")
    if not jpype.isJVMStarted():
        jpype.startJVM(classpath=[str(program("share/java/postgresql.jar"))], convertStrings=True)
    manager = jpype.JClass("java.sql.DriverManager")
    refused = jpype.JClass("java.sql.SQLException")
    url = f"jdbc:postgresql://127.0.0.1:{server.port}/{database}?user={user}"
    connection = manager.getConnection(url)
    try:
        found = list(_rows(connection.createStatement().executeQuery(_query())))
        for text in ("delete from marts.fct_deal", "select won_at from marts.fct_deal"):
            with pytest.raises(refused, match="permission denied"):
                connection.createStatement().execute(text)
    finally:
        connection.close()

    assert EXPECTED == found


def _query() -> str:
    return f"select {COLUMNS} from marts.fct_deal order by 1"


def _rows(result: Any) -> Iterator[tuple[Any, ...]]:
    """Java's values as Python's."""
    while result.next():
        row: list[Any] = []
        for place in range(1, len(EXPECTED[0]) + 1):
            value = result.getObject(place)
            kind = "" if value is None else type(value).__name__
            if kind == "java.math.BigDecimal":
                row.append(Decimal(str(value.toPlainString())))
            elif kind == "java.sql.Date":
                row.append(date.fromisoformat(str(value)))
            else:
                row.append(None if value is None else _plain(value))
        yield tuple(row)


def _plain(value: Any) -> Any:
    """A boxed number, flag or text."""
    if isinstance(value, str):
        return value
    text = str(value)
    if text in {"True", "true", "False", "false"}:
        return text.lower() == "true"
    return float(text) if "." in text else int(text)
