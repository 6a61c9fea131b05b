"""Trace: from a published row to the landed versions behind it, and the models between."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from connectors.base.errors import PipeledgerError
from connectors.base.stream import Record
from pipeledger.landing import Landing
from pipeledger.lineage import models_between
from pipeledger.settings import Settings
from pipeledger.settings.model import Paths
from pipeledger.trace import trace

NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)
DEAL, RENAMED = b'{"id":"1","amount":100.10,"name":"Ann"}', b'{"id":"1","amount":200.20,"name":"A"}'
INVOICE = b'{"id":"in_1","total":20020,"customer_email":"ann@example.com"}'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A landed deal in two versions and its invoice, and marts that came from them."""
    made = Settings(
        paths=Paths(
            landing=str(tmp_path / "landing"),
            warehouse=tmp_path / "warehouse",
            serving=tmp_path / "serving",
            state=tmp_path / "state",
        )
    )
    landing = Landing(made.paths.landing)
    landing.append("hubspot", "deals", "crm", [Record("1", DEAL, NOW - timedelta(days=1))], "s1")
    landing.append("hubspot", "deals", "crm", [Record("1", RENAMED, NOW)], "s2")
    landing.append("stripe", "invoices", "billing", [Record("in_1", INVOICE, NOW)], "s3")
    made.paths.serving.mkdir()
    deal, invoice = "hubspot__deals:crm:1:s2:0", "stripe__invoices:billing:in_1:s3:0"
    with duckdb.connect(str(made.paths.serving / "one.duckdb")) as db:
        db.execute("create schema marts")
        for name, columns in {
            "fct_deal": f"'crm:1' as deal_key, '{deal}' as raw_version_id",
            "fct_invoice": f"'billing:in_1' as invoice_key, '{invoice}' as raw_version_id",
            "bridge_deal_invoice": "'crm:1' as deal_key, 'billing:in_1' as invoice_key",
            "mart_deal_billing_recon": "'crm:1' as deal_key, 200.20 as booked_net_rc",
        }.items():
            db.execute(f"create table marts.{name} as select {columns}")
    (made.paths.serving / "current.duckdb").symlink_to("one.duckdb")
    return made


def test_a_reconciliation_row_leads_to_the_deal_and_to_its_invoice(settings: Settings) -> None:
    """Finance asks where a number came from; both halves of it must be named."""
    found = trace(settings, "mart_deal_billing_recon", "crm:1")

    assert [
        ("fct_deal", "hubspot", "deals", "1"),
        ("fct_invoice", "stripe", "invoices", "in_1"),
    ] == [
        (step["relation"], step["source"], step["stream"], step["record_id"])
        for step in found["versions"]
    ]


def test_every_version_is_shown_and_the_used_one_marked(settings: Settings) -> None:
    """The older version explains last week's report, the marked one today's."""
    found = trace(settings, "fct_deal", "crm:1")

    versions = found["versions"][0]["versions"]
    assert [("s1", False), ("s2", True)] == [(v["sync_id"], v["is_used"]) for v in versions]
    assert Decimal("200.20") == versions[1]["fields"]["amount"]


def test_what_is_shown_leaves_out_what_names_a_person(settings: Settings) -> None:
    """I6: a trace is pasted into a ticket."""
    found = trace(settings, "mart_deal_billing_recon", "crm:1")

    told = str([step["versions"] for step in found["versions"]])
    assert "20020" in told
    assert "Ann" not in told
    assert "ann@example.com" not in told


def test_an_unknown_mart_is_answered_with_the_list(settings: Settings) -> None:
    """Nobody knows forty names by heart."""
    with pytest.raises(PipeledgerError, match=r"no mart fct_deals; there are: .*fct_deal"):
        trace(settings, "fct_deals", "crm:1")


def test_an_unknown_key_is_said_to_be_unknown(settings: Settings) -> None:
    """An empty answer would read as "came from nowhere"."""
    with pytest.raises(PipeledgerError, match="fct_deal has no row whose key is crm:2"):
        trace(settings, "fct_deal", "crm:2")


def test_the_models_between_are_the_shortest_way() -> None:
    """The way tells which SQL to read; a detour over a helper would mislead."""
    names = ("mart", "fct", "int", "stg")
    manifest = {
        "nodes": {f"model.{n}": {"resource_type": "model", "name": n} for n in names},
        "sources": {"source.raw": {"identifier": "hubspot__deals"}},
        "parent_map": {
            "model.mart": ["model.fct", "model.int"],
            "model.fct": ["model.int"],
            "model.int": ["model.stg"],
            "model.stg": ["source.raw"],
        },
    }

    found = models_between(manifest, "mart", "hubspot__deals")

    assert ["mart", "int", "stg", "raw.hubspot__deals"] == found
    assert [] == models_between(manifest, "mart", "stripe__invoices")
