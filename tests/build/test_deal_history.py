"""Histories of deals are kept from build to build: what they hold must not depend on it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from pipeledger.build import prepared_warehouse
from pipeledger.dbt_runs import Dbt
from pipeledger.kept import keep_only_of
from pipeledger.landing.tables import VERSIONS, AppendTable
from pipeledger.pipeline import landing_of
from pipeledger.settings import Settings, load_settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("history")]

SETTINGS = """
version = 1
clock = "2026-10-15T06:00:00Z"

[company]
name = "Kept"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"
own_domains = ["kept.example"]

[company.fiscal_year]
start_month = 2

[sources.hubspot.crm]
token = "never-used"

[sources.files.book]
folder = "inbox"
tables.deals.path = "deals.csv"
tables.deal_stage_changes.path = "changes.csv"
tables.fx_rates.path = "rates.csv"

[thresholds]
bulk_edit_n = 2
"""
PIPELINES = """
[[pipelines]]
connection = "crm"
pipeline_id = "default"
measure = "arr"
"""
RENAMED = """
[[stages]]
connection = "crm"
pipeline_id = "default"
stage_id = "s3"
name = "Handshake"
order = 4
type = "won"
"""
HISTORIES = (
    "intermediate.int_deal_field_events",
    "intermediate.int_deal_versions",
    "intermediate.int_deal_edits",
    "marts.fct_deal_version",
    "marts.fct_deal_change",
    "marts.fct_deal_stage",
    "intermediate.int_pipeline_versions",
    "intermediate.int_pipeline_balances",
    "marts.fct_pipeline_movement",
    "intermediate.int_funnel_positions",
)
START = datetime(2026, 9, 1, 8, tzinfo=UTC)


def day(number: float) -> datetime:
    """So many days after the first look."""
    return START + timedelta(days=number)


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def deal(
    name: str,
    stages: Sequence[tuple[float, str]],
    *,
    amount: str = "100.00",
    currency: str = "EUR",
    owner: str = "61",
    history: bool = True,
    merged: str | None = None,
    editor: str | None = None,
) -> str:
    """A HubSpot deal that went through stages on these days, as its payload."""
    events = [
        {"value": stage, "timestamp": text(day(at)), "updatedByUserId": editor}
        for at, stage in reversed(stages)
    ]
    properties = {
        "dealname": f"Deal {name}",
        "pipeline": "default",
        "dealstage": stages[-1][1],
        "amount": amount,
        "hubspot_owner_id": owner,
        "deal_currency_code": currency,
        "closedate": text(day(60)),
        "createdate": text(day(stages[0][0])),
        "hs_merged_object_ids": merged,
    }
    told = {"dealstage": events} if history else {}
    return json.dumps({"id": name, "properties": properties, "propertiesWithHistory": told})


def edited_at(at: float, name: str) -> str:
    """A deal that somebody moved on that day."""
    return deal(name, [(-9, "s1"), (at, "s2")], editor="61")


def owner(number: str) -> str:
    return json.dumps(
        {"id": number, "email": f"rep{number}@kept.example", "userId": int(number), "teams": []}
    )


def rate(on: float, to_euro: str) -> dict[str, str | None]:
    """What a dollar was worth from that day on."""
    told = {"currency_code": "USD", "rate_date": f"{day(on):%Y-%m-%d}", "rate_to_rc": to_euro}
    return {f"USD:{on}": json.dumps(told)}


RATES = ("files", "fx_rates", "book")
PIPELINE = json.dumps(
    {
        "id": "default",
        "label": "Sales",
        "displayOrder": 0,
        "stages": [
            {
                "id": stage,
                "label": stage,
                "displayOrder": place,
                "metadata": {"isClosed": str(share in "01").lower(), "probability": share},
            }
            for place, (stage, share) in enumerate(
                [("s1", "0.2"), ("s2", "0.4"), ("s3", "0.6"), ("won", "1"), ("lost", "0")]
            )
        ],
    }
)


@dataclass(slots=True)
class Company:
    """A landing that is written by hand, and the warehouse that keeps."""

    folder: Path
    settings_file: Path
    dbts: dict[tuple[Path, str], Dbt] = field(default_factory=dict)
    """What dbt knows of the models, by warehouse and variables: to read it takes half a second."""

    @property
    def settings(self) -> Settings:
        return load_settings(self.settings_file).settings

    def land(
        self,
        at: float,
        records: dict[str, str | None],
        *,
        change: str = "upsert",
        place: tuple[str, str, str] = ("hubspot", "deals", "crm"),
        sync: str = "",
    ) -> None:
        """Land versions observed on that day, null payloads included."""
        source, stream, connection = place
        rows = [
            {
                "connection": connection,
                "record_id": record_id,
                "payload": payload,
                "payload_hash": hashlib.sha256(str(payload).encode()).digest()[:16],
                "change": change,
                "source_updated_at": day(at) - timedelta(hours=1),
                "observed_at": day(at),
                "position": position,
                "sync_id": sync or f"s{at:06.2f}",
            }
            for position, (record_id, payload) in enumerate(records.items(), start=1)
        ]
        uri = str(self.folder / "data" / "landing" / source / stream)
        table = AppendTable(uri, VERSIONS, ["connection"])
        table.append(pa.Table.from_pylist(rows, schema=VERSIONS))

    def erase(self, record_id: str) -> None:
        """Take all versions of a deal out of landing."""
        uri = self.folder / "data" / "landing" / "hubspot" / "deals"
        DeltaTable(uri).delete(f"record_id = '{record_id}'")

    def build(self, now: datetime, *, anew: bool = False) -> Path:
        """Build the histories: in the warehouse that keeps, or in another and ``anew``."""
        settings = self.settings
        if anew:
            paths = settings.paths.model_copy(update={"warehouse": self.folder / "anew"})
            settings = settings.model_copy(update={"paths": paths})
        with prepared_warehouse(settings, landing_of(settings), now=now) as ready:
            known = (ready.path, ready.variables)
            dbt = self.dbts.get(known) or self.dbts.setdefault(known, Dbt(*known))
            dbt.leave(ready.standing)
            refresh = ["--full-refresh"] if anew else []
            results, _ = dbt.run("build", "--select", *WANTED, *UNTESTED, *refresh)
            assert {"success"} == {str(one.status) for one in results}
            return ready.path


WANTED = ("+int_deals_built", "+int_pipeline_built")
UNTESTED = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


def differences(kept: Path, anew: Path) -> list[tuple[Any, ...]]:
    """Rows of the histories that only one of two warehouses has, with the side and the table."""
    found: list[tuple[Any, ...]] = []
    with duckdb.connect() as db:
        db.execute(f"attach '{kept}' as kept (read_only); attach '{anew}' as anew (read_only)")
        for table in HISTORIES:
            for one, other in (("kept", "anew"), ("anew", "kept")):
                found += db.execute(
                    f"select '{one}', '{table}', * from (select * from {one}.{table} "
                    f"except all select * from {other}.{table})"
                ).fetchall()
    return found


def computed(warehouse: Path, inputs: str = "int_deal_inputs") -> set[str]:
    """The deals that the last build computed anew, the histories or the movement of them."""
    with duckdb.connect(str(warehouse), read_only=True) as db:
        rows = db.execute(f"select deal_key from intermediate.{inputs} where is_changed").fetchall()
    return {str(key).partition(":")[2] for (key,) in rows}


def edited_in_bulk(warehouse: Path) -> set[str]:
    with duckdb.connect(str(warehouse), read_only=True) as db:
        rows = db.execute(
            "select deal_key from marts.fct_deal_change where is_bulk_edit"
        ).fetchall()
    return {str(key).partition(":")[2] for (key,) in rows}


def rows(warehouse: Path) -> int:
    with duckdb.connect(str(warehouse), read_only=True) as db:
        return len(db.execute("select * from marts.fct_deal_version").fetchall())


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A dozen deals on the first day; the tests below are the days that follow, in order."""
    folder = tmp_path_factory.mktemp("history")
    (folder / "inbox").mkdir()
    path = folder / "pipeledger.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    made = Company(folder, path)
    made.land(0, {"default": PIPELINE}, place=("hubspot", "deal_pipelines", "crm"))
    made.land(0, {"61": owner("61")}, place=("hubspot", "owners", "crm"))
    made.land(0, {name: deal(name, [(-9, "s1"), (-5, "s2")]) for name in "ABCDEFGHIJK"})
    made.land(0, {"L": deal("L", [(-9, "s1")], history=False)})
    # One in another currency, and one that is dated ahead of the first look.
    made.land(0, {"V": deal("V", [(-9, "s1"), (-5, "s2")], currency="USD")})
    made.land(0, {"W": deal("W", [(-9, "s1"), (3.5, "s2")])})
    made.land(0, rate(-10, "0.9"), place=RATES)
    book = {"deal_id": "X", "name": "X", "stage_id": "s1", "created_at": text(day(-9))}
    files = ("files", "deals", "book")
    made.land(0, {"X": json.dumps(book), "Y": json.dumps({**book, "deal_id": "Y"})}, place=files)
    return made


def news(company: Company) -> set[str]:
    company.land(1, {"A": deal("A", [(-9, "s1"), (-5, "s2"), (0.5, "s3")])})
    company.land(1, {"L": deal("L", [(-9, "s2")], history=False, amount="7.00"), "N": None})
    company.land(1.2, {"M": deal("M", [(0.9, "s1")])})
    return {"A", "L", "M", "N"}


def late_looks_and_events(company: Company) -> set[str]:
    # A look between two that are built already, and an event older than those known.
    company.land(0.5, {"L": deal("L", [(-9, "s1")], history=False, amount="9.00")})
    company.land(2, {"B": deal("B", [(-9, "s1"), (-7, "s3"), (-5, "s2")])})
    told = {"deal_id": "X", "stage_id": "s2", "changed_at": text(day(-3))}
    company.land(2, {"X:1": json.dumps(told)}, place=("files", "deal_stage_changes", "book"))
    company.land(2, rate(-10, "0.8"), place=RATES)
    # The late look is "the look before" of all that was seen on the first day after.
    return {"A", "B", "L", "N", "X"}


def merges_and_deletes(company: Company) -> set[str]:
    company.land(3, {"C": json.dumps({"survivor_id": "D"})}, change="merged")
    company.land(3.1, {"E": deal("E", [(-9, "s1"), (-5, "s2")], merged="D;O")})
    company.land(3.2, {"F": None}, change="deleted")
    company.land(3.2, {"G": None}, change="archived", sync="s003.21")
    company.land(3.2, {"H": None}, change="access_lost", sync="s003.22")
    company.land(3.3, {"I": deal("I", [(-9, "s1"), (-5, "s2"), (2.5, "won")])})
    company.erase("K")
    company.land(3.4, rate(2, "0.7"), place=RATES)
    return set("CDEOFGHIK")


def returns(company: Company) -> set[str]:
    company.land(5, {"I": deal("I", [(-9, "s1"), (-5, "s2"), (2.5, "won"), (4.5, "s2")])})
    company.land(5, {"F": deal("F", [(-9, "s1"), (-5, "s2"), (4.5, "lost")])}, sync="s005.01")
    company.land(5.1, {name: edited_at(4.1, name) for name in "PQ"})
    company.land(5.1, {name: edited_at(4.2, name) for name in "STU"}, sync="s005.11")
    return set("FIPQSTU")


def others_edited_in_the_same_minute(company: Company) -> set[str]:
    # P and Q are some of many from now on, S and T no longer: neither has changed itself.
    company.land(6.4, {"R": edited_at(4.1, "R")})
    company.erase("U")
    return {"R", "U"}


EVERYBODY = set("ABCDEFGHIJLMNOPQRSTVWXY")


def a_new_owner_and_another_setting(company: Company) -> set[str]:
    company.land(7, {"62": owner("62")}, place=("hubspot", "owners", "crm"))
    company.land(7, {"A": deal("A", [(-9, "s1"), (-5, "s2"), (0.5, "s3")], owner="62")})
    company.settings_file.write_text(SETTINGS + RENAMED, encoding="utf-8")
    return EVERYBODY


def another_measure(company: Company) -> set[str]:
    company.settings_file.write_text(SETTINGS + RENAMED + PIPELINES, encoding="utf-8")
    return set()


def a_new_quarter(company: Company) -> set[str]:
    company.land(63, {"B": deal("B", [(-9, "s1"), (-7, "s3"), (-5, "s2"), (62, "s3")])})
    return {"B"}


DAYS = [
    *((1.5, news), (2.5, late_looks_and_events), (4, merges_and_deletes), (6, returns)),
    *((6.5, others_edited_in_the_same_minute), (7.5, a_new_owner_and_another_setting)),
    *((8, another_measure), (63.5, a_new_quarter)),
]
MOVED = {"another_measure", "a_new_quarter"}
"""Days on which the movement of deals whose history stands is told anew."""
ALWAYS = {"V", "W"}
"""Deals whose worth every build asks anew: that in dollars, and that which was dated ahead."""


def worth(warehouse: Path, name: str) -> list[Any]:
    """What a deal's stays were worth at their end, in euros."""
    with duckdb.connect(str(warehouse), read_only=True) as db:
        found = db.execute(
            "select amount_at_exit_rc from marts.fct_deal_stage "
            "where deal_key = ? order by stay_no",
            [f"crm:{name}"],
        ).fetchall()
    return [value for (value,) in found]


def test_what_was_kept_equals_what_is_built_from_nothing(company: Company) -> None:
    """A row that a build forgets to renew is a wrong number that no later build mends.

    News, late looks and events, merges, deletes, returns, other tables, an erased deal, another
    deal edited in the same minute, a new owner and a changed stage, a pipeline that counts as
    another measure, a quarter that begins: each day only the deals that it concerns are computed,
    and all rows of all that is kept are those of a build from nothing.
    Stays are valued anew where a rate was corrected, and become older from day to day.
    """
    company.build(day(0.1))
    wrong: dict[str, Any] = {}
    bulk: dict[str, set[str]] = {}
    dollars, ahead = [], []
    for at, happens in DAYS:
        expected = happens(company)

        kept = company.build(day(at))
        anew = company.build(day(at), anew=True)

        if (found := computed(kept)) != expected:
            wrong[f"{happens.__name__} computed"] = found ^ expected
        moved = computed(kept, "int_pipeline_inputs") ^ (expected | ALWAYS)
        if bool(moved) != (happens.__name__ in MOVED):
            wrong[f"{happens.__name__} moved"] = moved
        if found_rows := differences(kept, anew):
            wrong[f"{happens.__name__} differs"] = found_rows
        if found_deals := edited_in_bulk(kept):
            bulk[happens.__name__] = found_deals
        dollars.append(worth(kept, "V"))
        ahead.append(worth(kept, "W"))
    assert {} == wrong
    assert {
        "returns": set("STU"),
        "others_edited_in_the_same_minute": set("PQR"),
        "a_new_owner_and_another_setting": set("PQR"),
        "another_measure": set("PQR"),
        "a_new_quarter": set("PQR"),
    } == bulk
    # The rate of the second day is worth nothing two months later.
    assert [[90, None], [80, None], *[[80, 70]] * 5, [80, None]] == dollars
    # Until its day has come, an instant that lies ahead has no rate.
    assert [[None, 100], [None, 100], *[[100, 100]] * 6] == ahead
    assert rows(kept) > len(EVERYBODY)


def test_a_clock_set_back_takes_later_knowledge_out(company: Company) -> None:
    """A build for an earlier day must not tell what was learnt after it, nor lose it for later."""
    latest = company.build(day(64))
    unchanged, before = computed(latest), rows(latest)

    kept = company.build(day(2.5))
    anew = company.build(day(2.5), anew=True)

    assert set() == unchanged
    assert [] == differences(kept, anew)
    assert rows(kept) < before


def test_after_a_killed_build_no_history_is_trusted(company: Company) -> None:
    """It may have renewed some histories for inputs that are gone again by now."""
    warehouse = company.build(day(9))
    with duckdb.connect(str(warehouse)) as db:
        db.execute("drop table intermediate.int_deals_built")
        db.execute("drop table intermediate.int_pipeline_built")
        db.execute("update intermediate.int_deal_versions set stage = 'half done'")
        db.execute("update intermediate.int_pipeline_balances set start_value_rc = 0.01")

    kept = company.build(day(9))

    assert computed(kept) >= EVERYBODY
    assert [] == differences(kept, company.build(day(9), anew=True))


def test_another_basis_drops_what_was_kept() -> None:
    """Rows of two versions of the models, or of two settings, must not stand in one table."""
    with duckdb.connect() as db:
        keep_only_of(db, "one")
        db.execute("create schema marts; create table marts.fct_deal_version as select 1 as one")

        keep_only_of(db, "one")
        after_the_same = db.execute("select count(*) from duckdb_tables()").fetchone()
        keep_only_of(db, "other")
        after_another = db.execute(
            "select schema_name, table_name from duckdb_tables() order by all"
        ).fetchall()

    assert (4,) == after_the_same
    assert [("state", name) for name in ("basis", "deals_built", "pipeline_built")] == after_another
