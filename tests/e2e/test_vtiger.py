"""Vtiger from end to end: nothing is lost among thousands of deals, and the marts are true.

The company has two CRMs here: Vtiger holds every other deal, HubSpot the rest, and Stripe bills.

What Vtiger cannot know is in docs/sources/vtiger.md: amounts are in the base currency and
those of today, there is one pipeline, and whoever left before the first sync has no name.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.vtiger import CONNECTOR, VtigerSettings
from pipeledger.landing import Landing
from pipeledger.pipeline import sync_all
from pipeledger.settings import Settings, load_settings
from pipeledger.sync import SyncReport, sync_connection
from sandbox.company import Company, build
from sandbox.company.clock import SECOND_DAY, TODAY, business_date, quarter
from sandbox.company.model import Deal, World
from sandbox.company.people import BY_OWNER, OWN_DOMAINS, QUEUE_OWNER_ID
from sandbox.company.vtiger import STAGE_NAMES, base_amount, stage_name
from sandbox.demo import CLOCK, write_files
from sandbox.exchange import Reply, Request
from sandbox.hubspot import STATIC_TOKEN, HubspotServer, HubspotState, Limits
from sandbox.stripe import TEST_KEY, StripeServer, StripeState
from sandbox.vtiger import ACCESS_KEY, ADMIN, VtigerServer, VtigerState
from tests.e2e.road import Road, differences, keyed, run

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("vtiger"), pytest.mark.timeout(900)]
slow = pytest.mark.slow

ZERO = Decimal(0)
OF_A_LEAD = "of a lead"
OURS = f"connection = 'vt' and not is_deleted and name <> '{OF_A_LEAD}'"
DEALS = 3_000
OF_ONE_SECOND = 400
SCALE = 0.05


# Nothing is lost.


async def sync(server: VtigerServer, folder: Path, **options: Any) -> SyncReport:
    settings = VtigerSettings.model_validate(
        {
            "base_url": server.url,
            "username": ADMIN,
            "access_key": ACCESS_KEY,
            "streams": ["deals", "leads"],
        }
    )
    return await sync_connection(
        CONNECTOR,
        settings,
        "vt",
        Landing(folder / "landing"),
        clock=lambda: server.state.now,
        state_dir=folder / "state",
        **options,
    )


def newest(folder: Path, stream: str) -> dict[str, tuple[str, str]]:
    """Change and content by id of every record's newest version."""
    pin = Landing(folder / "landing").pin()["vtiger", stream]
    files = ", ".join(f"'{name}'" for name in pin.files)
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            f"select record_id, change, payload from read_parquet([{files}]) "
            "qualify row_number() over (partition by record_id order by observed_at desc, "
            "sync_id desc, position desc) = 1"
        ).fetchall()
    return {str(one): (str(change), payload or "{}") for one, change, payload in rows}


def amounts(folder: Path) -> dict[str, str]:
    """Amount by id of the deals that landing holds as live."""
    return {
        one: json.loads(payload)["amount"]
        for one, (change, payload) in newest(folder, "deals").items()
        if change == "upsert"
    }


def held(crm: VtigerState) -> dict[str, str | None]:
    """Amount by id of the deals that the server's own count counts."""
    return {one: crm.entry(one).row.get("amount", "") for one in crm.ids("Potentials")}


@pytest.mark.parametrize(
    ("sync_works", "deals_there"), [(True, 600), (False, DEALS)], ids=["sync works", "PHP 8"]
)
async def test_landed_deals_are_the_servers_own_twice_while_it_changes(
    tmp_path: Path, sync_works: bool, deals_there: int
) -> None:
    """Three thousand deals, four hundred of one second, edits and deletes under way."""
    crm = VtigerState()
    for number in range(deals_there):
        crm.has("Potentials", potentialname=f"deal {number}", amount="1.00000000")
        if not 100 <= number < 100 + OF_ONE_SECOND:
            crm.advance(seconds=7)
    leads = [crm.has("Leads", lastname=f"lead {number}") for number in range(200)]
    deals = crm.ids("Potentials")
    crm.advance(hours=1)

    def live_on(_request: Request, reply: Reply) -> Reply:
        """An edit after each answer: the next page finds another order."""
        crm.advance(seconds=1)
        crm.change(deals[server.count("webservice") * 37 % deals_there], amount="2.00000000")
        return reply

    with VtigerServer(crm, sync_works=sync_works, counts=sync_works) as server:
        server.fail("webservice", live_on, times=1_000)
        first = await sync(server, tmp_path)
        after_first, before = newest(tmp_path, "deals"), crm.ids("Potentials")
        crm.advance(days=1, minutes=1)
        for place in range(0, deals_there, 50):
            crm.delete(deals[place])
        for place in range(101, 100 + OF_ONE_SECOND, 3):
            crm.change(deals[place], amount="3.00000000")
        crm.merge(deals[11], deals[12])
        for lead in leads[:20]:
            crm.convert(lead, potentialname="of a lead")
        server.faults.clear()
        second = await sync(server, tmp_path)
        third = await sync(server, tmp_path)
        assert [] == server.errors

    assert first.is_complete
    assert second.is_complete
    assert sorted(before) == sorted(after_first)
    assert held(crm) == amounts(tmp_path)
    landed = newest(tmp_path, "leads")
    fates = [landed[lead][0] for lead in leads]
    assert ["converted"] * 20 + ["upsert"] * 180 == fates
    assert 0 == sum(one.appended for one in third.streams)


async def test_an_older_copy_that_arrives_late_replaces_nothing(tmp_path: Path) -> None:
    """D-05: a replica of the database that lags shows yesterday's state once more."""
    crm = VtigerState()
    deal = crm.has("Potentials", potentialname="deal", amount="1.00000000")
    stale = dict(crm.entry(deal).row)
    crm.advance(minutes=1)
    crm.change(deal, amount="2.00000000")
    crm.advance(minutes=2)

    # The server's own list of changes would not show it: its clock is the older one.
    with VtigerServer(crm, sync_works=False, counts=False) as server:
        await sync(server, tmp_path)
        crm.entry(deal).row = stale
        crm.advance(minutes=1)
        late = await sync(server, tmp_path)
        assert [] == server.errors

    told = {report.stream: report for report in late.streams}["deals"]
    assert 1 == told.late
    assert {deal: "2.00000000"} == amounts(tmp_path)


# The marts are true.


SETTINGS = """clock = "{clock}"

[company]
name = "Nordlicht"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"
own_domains = [{domains}]

[company.fiscal_year]
start_month = 2

[sources.vtiger.vt]
base_url = "{url}"
username = "{user}"
concurrency = 8

[sources.hubspot.hs]
base_url = "{hubspot}"

[sources.stripe.billing]
base_url = "{stripe}"
requests_per_second = 400

[sources.files.plan]
folder = "inbox"
settle_seconds = 0
tables.users.path = "users.csv"
tables.quotas.path = "quotas.csv"
tables.fx_rates.path = "fx_rates.csv"
tables.fx_rates.mode = "append"
"""


@dataclass(frozen=True, slots=True)
class Served:
    """The company's warehouse on its second day; ``before`` is the first, ``lead`` converted."""

    road: Road
    before: Company
    lead: str


def is_in_vtiger(deal_id: str) -> bool:
    """Which of the company's two CRMs holds a deal."""
    return int(deal_id) % 2 == 0


def of_vtiger(company: Company) -> dict[str, list[dict[str, Any]]]:
    """Vtiger's half of the deals, their quotes, what was done for them, and all leads."""
    held = dict(company.vtiger)
    # Another system bills; one invoice of Vtiger's own is made by hand.
    del held["Invoice"]
    held["Potentials"] = [one for one in held["Potentials"] if is_in_vtiger(str(one["number"]))]
    for module, field in (
        ("Quotes", "potential_id"),
        ("Events", "parent_id"),
        ("Calendar", "parent_id"),
    ):
        held[module] = [one for one in held[module] if is_in_vtiger((one["row"][field] or "0")[-1])]
    return held


def of_hubspot(company: Company) -> dict[str, Any]:
    """HubSpot's half of the deals, and everybody; leads and the diary are in Vtiger."""
    held = dict(company.hubspot)
    held["deals"] = [one for one in held["deals"] if not is_in_vtiger(one["id"])]
    kept = {one["id"] for one in held["deals"]}
    for kind in ("quotes", "line_items"):
        held[kind] = [one for one in held[kind] if set(one["associations"]["deals"]) <= kept]
    for kind in ("leads", "emails", "calls", "meetings", "tasks", "notes"):
        held[kind] = []
    held["merged"] = {**held["merged"], "deals": []}
    return held


def invoice(crm: VtigerState) -> str:
    """An invoice of Vtiger's own, with shipping, a discount below its lines, and tax."""
    made = crm.has(
        "Invoice",
        invoice_no="INV-1",
        invoicestatus="Approved",
        invoicedate="2026-09-01",
        duedate="2026-09-30",
        account_id=crm.ids("Accounts")[0],
        currency_id="21x1",
        pre_tax_total="105.00000000",
        hdnDiscountAmount="5.00000000",
        hdnS_H_Amount="10.00000000",
        hdnGrandTotal="124.95000000",
        received="50.00000000",
        balance="74.95000000",
    )
    crm.with_lines(
        made,
        {"id": "50x1", "quantity": "2.000", "listprice": "25.00000000"},
        {"id": "50x2", "quantity": "1.000", "listprice": "50.00000000"},
    )
    return made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two CRMs and one billing system, read twice, a day apart, then built and published.

    Every other deal is in Vtiger, the others in HubSpot; customers and people are in both.
    """
    folder = tmp_path_factory.mktemp("vtiger")
    first = build(7, SCALE)
    second = first.changes()
    crm = VtigerState()
    crm.picklists["Potentials", "sales_stage"] = STAGE_NAMES
    crm.custom["Potentials"]["cf_901"] = "Region"
    domains = ", ".join(f'"{domain}"' for domain in OWN_DOMAINS)
    path = folder / "pipeledger.toml"
    other, account = HubspotState(), StripeState()
    other.load(of_hubspot(first))
    account.load(first.stripe)
    with (
        VtigerServer(crm) as server,
        HubspotServer(other, limits=Limits(per_ten_seconds=10_000)) as hubspot,
        StripeServer(account, per_second=1_000) as stripe,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PIPELEDGER__SOURCES__VTIGER__VT__ACCESS_KEY", ACCESS_KEY)
        patch.setenv("PIPELEDGER__SOURCES__HUBSPOT__HS__TOKEN", STATIC_TOKEN)
        patch.setenv("PIPELEDGER__SOURCES__STRIPE__BILLING__API_KEY", TEST_KEY)

        def on(clock: str, company: Company) -> Settings:
            write_files(company, folder / "inbox")
            crm.load(of_vtiger(company))
            place = {"url": server.url, "user": ADMIN, "domains": domains}
            place |= {"hubspot": hubspot.url, "stripe": stripe.url}
            path.write_text(SETTINGS.format(clock=clock, **place))
            return load_settings(path).settings

        settings = on(CLOCK, first)
        billed = invoice(crm)
        syncs = asyncio.run(sync_all(settings))
        assert all(sync.is_complete for sync in syncs)
        lead = crm.ids("Leads")[0]
        crm.now = second.at
        crm.change(billed, received="124.95000000", balance="0.00000000")
        settings = on(second.at.isoformat().replace("+00:00", "Z"), second.after)
        owner = crm.entry(lead).row["assigned_user_id"]
        made = {"potentialname": OF_A_LEAD, "assigned_user_id": owner}
        crm.convert(lead, **made, sales_stage=STAGE_NAMES[0])
        road = Road(second.after, settings)
        road.runs.append(run(settings))
        yield Served(road, first, lead)
        assert not server.errors


def known(owner_id: str | None, company: Company) -> str:
    """Whose a deal is: a person who is still here, a group, or nobody that Vtiger shows."""
    rep = BY_OWNER.get(owner_id or "")
    if owner_id == QUEUE_OWNER_ID:
        return f"vt:20x{owner_id}"
    day = business_date(company.world.today)
    return rep.email if rep is not None and rep.row(day) is not None else "unknown"


@slow
def test_the_whole_company_lands_and_is_published(served: Served) -> None:
    """Every stream to its end, no check in the way, no secret on the way."""
    ran = served.road.runs[0]

    told = [one for sync in ran.syncs for one in sync.streams if one.note]
    notes = {one.stream for one in told if one.source != "files"}  # which tells its sums
    assert all(sync.is_complete for sync in ran.syncs), [
        (one.stream, one.error) for sync in ran.syncs for one in sync.streams if one.error
    ]
    assert set() == notes
    assert served.road.rows("select 1 from marts.fct_deal limit 1")


@slow
def test_every_deal_is_what_it_is(served: Served) -> None:
    """Status, stage, owner, money and dates, deal by deal."""
    company = served.road.company
    truth = company.truth.sales.deals
    expected = {
        f"vt:13x{one.id}": (
            truth[one.id].status,
            f"vt:default:{stage_name(one.stage)}",
            known(one.owners[-1].value, company),
            "EUR",
            base_amount(company.world, one),
            truth[one.id].closed_date,
            truth[one.id].probability,
        )
        for one in company.world.live_deals
        if is_in_vtiger(one.id)
    }

    found = served.road.rows(
        "select deal_key, status, stage_key, owner_user_key, currency_code, amount_amt, "
        f"closed_date, probability from marts.fct_deal where {OURS}"
    )

    assert [] == differences(expected, keyed(found))


def home_amount(one: Deal, company: Company, today: World) -> Decimal:
    """What a deal adds to the company's numbers: as its own CRM tells it, in euro.

    HubSpot knows the deal's currency, so that an open one is worth what it is worth today.
    """
    if is_in_vtiger(one.id):
        return base_amount(company.world, one) or ZERO
    truth = company.truth.sales.deals[one.id]
    if truth.status != "open":
        return truth.won_home if truth.status == "won" else truth.amount_home
    return today.rates.to_home(one.amount or ZERO, one.currency, business_date(today.today))


def seen_deals(served: Served) -> Iterator[tuple[Deal, Company]]:
    """Each live deal as it was last seen: HubSpot stood still after the first day."""
    for one in served.road.company.world.live_deals:
        if is_in_vtiger(one.id):
            yield one, served.road.company
    for one in served.before.world.live_deals:
        if not is_in_vtiger(one.id):
            yield one, served.before


@slow
def test_two_crms_make_one_pipeline(served: Served) -> None:
    """The numbers on the first page, to the cent: nothing missing, nothing twice."""
    expected: dict[str, tuple[int, Decimal]] = {}
    for one, company in seen_deals(served):
        count, amount = expected.get(one.status, (0, ZERO))
        expected[one.status] = (
            count + 1,
            amount + home_amount(one, company, served.road.company.world),
        )

    found = served.road.rows(
        "select status, count(*), sum(coalesce(amount_at_won_rc, amount_rc, 0)) "
        f"from marts.fct_deal where not is_deleted and name <> '{OF_A_LEAD}' group by status"
    )

    assert {"open", "won", "lost"} == set(expected)
    assert [] == differences(expected, keyed(found))


@slow
def test_two_crms_make_one_quota_gap(served: Served) -> None:
    """The gap that the sales director asks for: one quota, and what both CRMs won."""
    won: dict[str, Decimal] = {}
    for one, company in seen_deals(served):
        if one.status == "won" and one.closed_at is not None:
            period = quarter(business_date(one.closed_at))
            won[period] = won.get(period, ZERO) + home_amount(
                one, company, served.road.company.world
            )
    expected = {
        period: (of.company.quota, won.get(period, ZERO))
        for period, of in served.road.company.truth.sales.quarters.items()
        if of.company.quota or won.get(period)
    }

    found = served.road.rows(
        "select period_key, quota_rc, coalesce(won_rc, 0) from marts.mart_quota_gap "
        "where scope_type = 'company' and credit_type = 'revenue' and period_grain = 'quarter' "
        "and (quota_rc is not null or won_rc is not null)"
    )

    told = {key: values for key, values in keyed(found).items() if any(values)}
    assert [] == differences(expected, told)


@slow
def test_a_customer_of_both_crms_is_one_company(served: Served) -> None:
    """Recognised by domain; counted twice, every account would look half as good."""
    domains = {one.domain for one in served.road.company.world.accounts}

    found = served.road.rows(
        "select domain, count(distinct company_key) from marts.dim_company "
        "where domain is not null group by domain"
    )

    counts = {domain: number for domain, number in found if domain in domains}
    assert dict.fromkeys(domains, 1) == counts


@slow
def test_one_billing_system_is_counted_once(served: Served) -> None:
    """Two CRMs must not bring their customers' invoices along twice."""
    flows = served.before.truth.money.quarters.values()

    found = served.road.rows(
        "select count(*), sum(gross_amt) from marts.fct_invoice "
        "where is_billable and status not in ('draft', 'void') and connection = 'billing'"
    )

    assert [(sum(flow.invoices for flow in flows), sum(flow.gross for flow in flows))] == found


@slow
def test_an_invoice_of_the_crm_adds_up(served: Served) -> None:
    """Net and tax make the total, and its lines with their rest make the net."""
    found = served.road.rows(
        "select i.status, i.net_amt, i.tax_amt, i.gross_amt, "
        "sum(l.net_amt) filter (l.line_kind = 'item'), sum(l.net_amt) "
        "from marts.fct_invoice as i join marts.fct_invoice_line as l "
        "on i.invoice_key = l.invoice_key where i.connection = 'vt' group by all"
    )

    amounts = [str(value) for value in found[0][1:]]
    assert ["paid"] == [row[0] for row in found]
    assert ["105.0000", "19.9500", "124.9500", "100.0000", "105.0000"] == amounts


@slow
def test_what_an_invoice_received_is_paid_when_it_was_seen(served: Served) -> None:
    """Vtiger keeps a sum: the second look shows what came since the first, and since when."""
    first, second = business_date(TODAY), business_date(SECOND_DAY)

    found = served.road.rows(
        "select method, amount_amt, paid_date, not_before_date from marts.fct_payment "
        "where connection = 'vt' order by paid_date"
    )

    assert [
        ("implied", Decimal("50.0000"), first, first),
        ("implied", Decimal("74.9500"), second, first),
    ] == found


@slow
def test_stages_are_the_picklist(served: Served) -> None:
    """In its order, with two that end a deal."""
    found = served.road.rows(
        "select stage_id, stage_type from marts.dim_stage where is_current "
        "and pipeline_key = 'vt:default' order by stage_order"
    )

    kinds = {"Closed Won": "won", "Closed Lost": "lost"}
    assert [(name, kinds.get(name, "open")) for name in STAGE_NAMES] == found


@slow
def test_quotes_lines_and_activities_hang_on_their_deals(served: Served) -> None:
    """Whatever the CRM links, and only that."""
    world = served.road.company.world
    deals = [one for one in world.deals if is_in_vtiger(one.id)]
    quotes = sum(len(one.quotes) for one in deals)
    lines = sum(len(one.quotes) * len(one.lines) for one in deals)
    diary = sum(
        one.archived_at is None and is_in_vtiger(one.deal.id if one.deal else "0")
        for one in world.activities
        if one.kind in ("calls", "meetings", "tasks")
    )

    def count(mart: str) -> int:
        sql = f"select count(*) from marts.{mart} where connection = 'vt' and not is_deleted"
        return int(served.road.rows(sql)[0][0])

    assert (quotes, lines, diary) == (
        count("fct_quote"),
        count("fct_quote_line"),
        count("fct_activity"),
    )
    assert [(sum(one.archived_at is None for one in deals),)] == served.road.rows(
        "select count(distinct deal_key) from marts.bridge_deal_company "
        f"where deal_key in (select deal_key from marts.fct_deal where {OURS})"
    )


@slow
def test_the_second_day_becomes_history(served: Served) -> None:
    """What differs between two syncs is a stage change, as exact as the looks allow."""
    before = {one.id: stage_name(one.stage) for one in served.before.world.live_deals}
    after = {one.id: stage_name(one.stage) for one in served.road.company.world.live_deals}
    shown = [one for one in before if one in after and is_in_vtiger(one)]
    moved = {one for one in shown if before[one] != after[one]}

    told = served.road.rows(
        "select deal_key from marts.fct_deal_change where field = 'stage' "
        "and change_precision = 'poll' and old_value <> '' and connection = 'vt'"
    )

    assert moved
    assert {f"vt:13x{one}" for one in moved} == {row[0] for row in told}


@slow
def test_a_converted_lead_leads_to_its_deal(served: Served) -> None:
    """Vtiger says neither; a lead that seems deleted would never convert."""
    found = served.road.rows(
        "select deal.name, lead.is_deleted from marts.fct_lead as lead "
        "join marts.fct_deal as deal on lead.deal_key = deal.deal_key "
        f"where lead.lead_key = 'vt:{served.lead}' and lead.is_converted"
    )

    assert [(OF_A_LEAD, False)] == found


@slow
def test_no_access_key_of_a_user_is_anywhere(served: Served) -> None:
    """Vtiger's user table holds the key to everybody's CRM."""
    root = served.road.settings.paths.landing

    texts = [file.read_bytes() for file in Path(str(root)).rglob("*.parquet")]
    assert texts
    pin = Landing(root).pin()["vtiger", "users"]
    with duckdb.connect(":memory:") as db:
        rows = db.execute("select payload from read_parquet(?)", [list(pin.files)]).fetchall()
    assert rows
    assert not [row for row in rows if "canary" in str(row) or "accesskey" in str(row)]
