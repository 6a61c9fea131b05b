"""The marts in PostgreSQL: the same build as in the serving file, for tools that speak no DuckDB.

    serving file --COPY--> stable tables, one transaction --commit with the link's flip--> readers

``publishing`` moves the rows, ``shape`` makes tables of them, ``rights`` says who sees which,
``outcome`` what became of it. All but the last need psycopg and are imported where used.
"""
