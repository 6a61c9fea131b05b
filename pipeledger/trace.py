"""Trace: from a row of a mart back to the landed versions it came from.

A mart's row leads to facts by its keys, a fact to its landed version by
``raw_version_id``; landing then shows every version of that record and which one was used.
"""

import json
from decimal import Decimal
from typing import Any

import duckdb

from connectors.base.errors import PipeledgerError
from pipeledger.landing import Landing
from pipeledger.lineage import load_manifest, models_between
from pipeledger.pipeline import landing_of
from pipeledger.serving import open_serving, rows
from pipeledger.settings import Settings

FACTS = {
    "deal_key": ("fct_deal", "fct_deal_version"),
    "invoice_key": ("fct_invoice", "fct_invoice_line", "fct_payment_allocation"),
    "lead_key": ("fct_lead",),
    "quote_key": ("fct_quote",),
    "payment_key": ("fct_payment",),
    "credit_note_key": ("fct_credit_note",),
    "company_key": ("dim_company",),
    "contact_key": ("dim_contact",),
    "email_key": ("fct_email",),
    "user_key": ("dim_user",),
}
HOPS = (
    ("deal_key", "bridge_deal_invoice", "invoice_key"),
    ("invoice_key", "fct_payment_allocation", "payment_key"),
    ("invoice_key", "fct_credit_note", "credit_note_key"),
)
"""From a key over a table to the further keys that a bill's row is made of."""
BILLING_MARTS = ("mart_deal_billing_recon", "mart_billed_vs_forecast")
_LIMIT = 20
_HIDDEN = ("email", "phone", "name", "address", "subject")


def trace(settings: Settings, mart: str, key: str) -> dict[str, Any]:
    """Find the rows of a mart that hold the key, and the landed versions behind them.

    Raises:
        PipeledgerError: no such mart, or no row with that key.
    """
    landing = landing_of(settings)
    with open_serving(settings) as db:
        columns = _columns(db, mart)
        keys = [name for name in columns if name.endswith("_key")]
        if not columns:
            known = ", ".join(row["table_name"] for row in _tables(db))
            raise PipeledgerError(f"no mart {mart}; there are: {known}")
        where = " or ".join(f'"{name}" = ?' for name in keys)
        found = rows(
            db,
            f'select * from marts."{mart}" where {where} limit 20',  # noqa: S608 - names from the catalogue
            [key] * len(keys),
        )
        if not found:
            raise PipeledgerError(f"{mart} has no row whose key is {key}")
        steps = versions_behind(db, landing, mart, found)
    manifest = load_manifest(settings.paths.warehouse)
    for step in steps:
        relation = f"{step['source']}__{step['stream']}"
        step["models"] = models_between(manifest, mart, relation)
    return {"mart": mart, "key": key, "rows": found, "versions": steps}


def _tables(db: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    return rows(
        db,
        "select table_name from information_schema.tables where table_schema = 'marts' "
        "order by table_name",
    )


def _columns(db: duckdb.DuckDBPyConnection, mart: str) -> list[str]:
    found = rows(
        db,
        "select column_name from information_schema.columns "
        "where table_schema = 'marts' and table_name = ? order by ordinal_position",
        [mart],
    )
    return [row["column_name"] for row in found]


def versions_behind(
    db: duckdb.DuckDBPyConnection, landing: Landing, mart: str, found: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Landed versions behind the rows themselves and behind the facts their keys name."""
    ids = {(mart, str(row["raw_version_id"])) for row in found if row.get("raw_version_id")}
    keys = {(column, str(row[column])) for row in found for column in FACTS if row.get(column)}
    if mart in BILLING_MARTS:
        for column, table, further in HOPS:
            for value in [value for name, value in keys if name == column]:
                keys |= {(further, one) for one in _values(db, table, further, column, value)}
    for column, value in keys:
        for table in FACTS[column]:
            ids |= {(table, one) for one in _values(db, table, "raw_version_id", column, value)}
    return [_step(landing, relation, version_id) for relation, version_id in sorted(ids)]


def _values(
    db: duckdb.DuckDBPyConnection, table: str, wanted: str, column: str, value: str
) -> set[str]:
    """The first values of one column where another has a value; none if a column is missing."""
    if not {wanted, column} <= set(_columns(db, table)):
        return set()
    found = rows(
        db,
        f'select distinct "{wanted}" as value from marts."{table}" '  # noqa: S608 - names of ours
        f'where "{column}" = ? and "{wanted}" is not null order by 1 limit {_LIMIT}',
        [value],
    )
    return {str(one["value"]) for one in found}


def _step(landing: Landing, relation: str, version_id: str) -> dict[str, Any]:
    """One landed record: source__stream:connection:record id:sync:position."""
    name, connection, rest = version_id.split(":", 2)
    record_id, sync_id, position = rest.rsplit(":", 2)
    source, _, stream = name.partition("__")
    versions = landing.versions(source, stream, connection, record_id)
    return {
        "relation": relation,
        "source": source,
        "stream": stream,
        "connection": connection,
        "record_id": record_id,
        "versions": [
            {
                "observed_at": version.observed_at,
                "source_updated_at": version.source_updated_at,
                "change": version.change,
                "sync_id": version.sync_id,
                "payload_hash": version.payload_hash,
                "is_used": (version.sync_id, str(version.position)) == (sync_id, position),
                "fields": _shown_fields(version.payload),
            }
            for version in versions
        ],
    }


def _shown_fields(payload: str | None) -> dict[str, Any]:
    """The plain fields of a payload, without those that name a person."""
    content = None if payload is None else json.loads(payload, parse_float=Decimal)
    if not isinstance(content, dict):
        return {}
    inner = content.get("properties", content)
    return {
        name: value
        for name, value in inner.items()
        if value not in (None, "", [], {})
        and not isinstance(value, dict | list)
        and not any(word in name.lower() for word in _HIDDEN)
    }
