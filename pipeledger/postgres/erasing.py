"""After an erasure: no old row is left in PostgreSQL's files, and a search that shows it."""

from collections.abc import Sequence

from psycopg import sql

from pipeledger.postgres.publishing import connect
from pipeledger.postgres.shape import standing
from pipeledger.settings.postgres import PostgresServing


def free_old_rows(settings: PostgresServing) -> None:
    """Rewrite the tables: rows that were deleted lie in their files until then."""
    with connect(settings) as connection:
        connection.autocommit = True
        for schema in (settings.marts_schema, settings.meta_schema):
            for table in standing(connection, schema):
                name = sql.Identifier(schema, table)
                connection.execute(sql.SQL("vacuum (full, analyze) {}").format(name))


def count_in_postgres(settings: PostgresServing, subjects: Sequence[str]) -> dict[str, int]:
    """Rows that hold one of the texts, by table; tables without any are left out."""
    found: dict[str, int] = {}
    with connect(settings) as connection:
        for schema in (settings.marts_schema, settings.meta_schema):
            for table in standing(connection, schema):
                for subject in subjects:
                    rows = connection.execute(
                        sql.SQL(
                            "select count(*) from {} as t where position(%s in lower(t::text)) > 0"
                        ).format(sql.Identifier(schema, table)),
                        [subject],
                    ).fetchone()
                    if rows is not None and rows[0]:
                        found[f"{schema}.{table}"] = found.get(f"{schema}.{table}", 0) + rows[0]
    return found
