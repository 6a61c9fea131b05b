"""The fictional company's marts in PostgreSQL, beside those of its serving file."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from pipeledger.postgres.publishing import staged
from pipeledger.publish import CURRENT
from pipeledger.serving import open_serving
from tests.e2e.road import Road
from tests.postgres.server import Server, serving

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("small")]


def test_every_mart_is_the_same_in_both(small_road: Road, server: Server) -> None:
    """Two readers with two numbers would both be right; fct_deal_daily is a view in each."""
    database = server.database()
    file = (small_road.settings.paths.serving / CURRENT).resolve()

    with staged(serving(server, database), file, file.stem) as made:
        done = made.commit()

    assert (None, []) == (done.error, done.notes)
    with (
        open_serving(small_road.settings) as db,
        psycopg.connect(server.dsn(database)) as connection,
    ):
        listed = db.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() "
            "where schema_name = 'marts' group by 1 order by 1"
        ).fetchall()
        for mart, columns in listed:
            names = ", ".join(f'"{name}"' for name in columns)
            query = f'select {names} from marts."{mart}"'
            expected = sorted(map(_plain, db.execute(query).fetchall()))
            assert expected == sorted(map(_plain, connection.execute(query).fetchall())), mart
        assert "fct_deal_daily" in [mart for mart, _ in listed]


def _plain(row: tuple[Any, ...] | TupleRow) -> str:
    """A row as text in which equal values are equal, whichever driver brought them."""
    return repr([_value(value) for value in row])


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    # A sum of whole numbers is a numeric in PostgreSQL.
    return int(value) if isinstance(value, Decimal) and value == value.to_integral() else value
