"""The acceptance of an erasure: nothing is found, nobody comes back, no total moves."""

import asyncio
import shutil
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.base.errors import ConfigError
from pipeledger.alerts.sent import Sent, SentLog
from pipeledger.erase import erase
from pipeledger.pipeline import landing_of, sync_all
from pipeledger.postgres.publishing import staged
from pipeledger.publish import CURRENT
from pipeledger.scheduled_exports import write_exports
from pipeledger.serving import open_serving
from pipeledger.settings import Settings
from pipeledger.settings.alerts import ScheduledExport
from pipeledger.settings.model import Paths
from pipeledger.settings.postgres import Serving
from tests.e2e.road import Road
from tests.postgres.server import Server, serving

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("small"), pytest.mark.timeout(600)),
]
CONTACT = (
    "select primary_email, contact_key from marts.dim_contact "
    "inner join marts.fct_email on contact_key = from_contact_key "
    "where dim_contact.source_system = 'hubspot' and dim_contact.is_current and name is not null "
    "group by all order by count(*) desc, 1 limit 1"
)


def copied(road: Road, folder: Path, server: Server) -> Settings:
    """All that the company's run left, in a folder of its own, published in PostgreSQL, too."""
    old = road.settings.paths
    shutil.copytree(Path(old.landing).parent, folder / "data", symlinks=True)
    paths = Paths(
        landing=str(folder / "data" / "landing"),
        warehouse=folder / "data" / "warehouse",
        serving=folder / "data" / "serving",
        state=folder / "data" / "state",
    )
    postgres = serving(server, server.database())
    with staged(postgres, (old.serving / CURRENT).resolve(), "b") as made:
        assert made.commit().error is None
    exports = tuple(
        ScheduledExport(mart="dim_contact", folder=folder / "exports", format=kind)
        for kind in ("csv", "xlsx", "parquet")
    )
    changed = {"paths": paths, "serving": Serving(postgres=postgres), "exports": exports}
    settings = road.settings.model_copy(update=changed)
    assert not any(one.error for one in write_exports(settings))
    return settings


def totals(settings: Settings) -> Mapping[tuple[str, str], Decimal | None]:
    """The sum of every column of money of every mart."""
    with open_serving(settings) as db:
        columns = db.execute(
            "select table_name, column_name from duckdb_columns() join duckdb_tables() "
            "using (schema_name, table_name) "
            "where schema_name = 'marts' and data_type = 'DECIMAL(18,4)'"
        ).fetchall()
        return {
            (table, column): _one(db, f'select sum("{column}") from marts."{table}"')
            for table, column in columns
        }


def _one(db: Any, query: str) -> Any:
    return db.execute(query).fetchall()[0][0]


def test_a_person_is_found_nowhere_and_the_totals_stay(
    small_road: Road, server: Server, tmp_path: Path
) -> None:
    """X-06: of the landing, the warehouse, the files, PostgreSQL and what a sync shows next."""
    settings = copied(small_road, tmp_path, server)
    ((address, key),) = small_road.rows(CONTACT)
    before = totals(settings)
    log = SentLog(settings.paths.state, date(2026, 10, 15))
    for reader in (address.upper(), "ana@kontor.example"):
        log.note(Sent("owner", reader, "<1@kontor.example>", "b"))
        log.note_incidents(reader, {"build": "The build failed"})
    planned = erase(settings, address, dry_run=True)
    assert before == totals(settings)
    places = " ".join(planned.found)
    for held in ("landing/hubspot/contacts", "landing/imap", "/serving/", "/warehouse/"):
        assert held in places
    for held in ("exports/dim_contact.csv", ".xlsx", ".parquet", "alerts/told.json", ".jsonl"):
        assert held in places
    assert "PostgreSQL marts.dim_contact" in places

    done = erase(settings, address)

    assert planned.rows.keys() <= done.rows.keys()
    assert {} == done.found
    log = SentLog(settings.paths.state, date(2026, 10, 15))
    assert log.has("owner", "ana@kontor.example")
    assert {"build": "The build failed"} == log.told_incidents("ana@kontor.example")
    # The name may stand where the address does not: told, and left to the person who reads it.
    assert 1 == len(done.names)
    assert before == totals(settings)
    with open_serving(settings) as db:
        found = db.execute(
            "select name, primary_email like 'erased-%' from marts.dim_contact "
            "where contact_key = ? and is_current",
            [key],
        ).fetchall()
    assert [("erased erased", True)] == found

    landing = landing_of(settings)
    asyncio.run(sync_all(settings, full=True))

    again = erase(settings, address, dry_run=True)
    assert ({}, {}) == (again.rows, again.found)
    assert landing.streams() == landing_of(small_road.settings).streams()


def test_a_subject_that_names_nobody_is_refused(small_road: Road) -> None:
    """A misspelt record that ends well would be taken for an erasure."""
    for subject in ("Eva Stein", "hubspot:contacts:hubspot:0"):
        with pytest.raises(ConfigError, match=subject):
            erase(small_road.settings, subject)
