"""The marts equal the truth of the company that made the data, to the minor unit (acceptance 4).

The generator counts the truth from its own world; the marts count it from what real
connectors read off the vendors' servers. Nothing between the two is shared.
"""

from decimal import Decimal

import pytest

from sandbox.company.truth import Truth
from sandbox.company.truth_money import Flow
from sandbox.company.truth_sales import Gap
from tests.e2e.road import Road, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]

ZERO = Decimal(0)


@pytest.fixture(scope="session")
def truth(road: Road) -> Truth:
    """What the warehouse shall find."""
    return road.company.truth


def test_every_deal_is_what_it_is(road: Road, truth: Truth) -> None:
    """Pipeline: status, stage, owner, money and dates, deal by deal, in three currencies."""
    expected = {
        f"hubspot:{one.id}": (
            *(one.status, f"hubspot:{one.pipeline}:{one.stage}", one.owner),
            *(one.currency, one.is_currency_assumed, one.amount),
            *(None if one.amount is None else one.amount_home, one.probability),
            *(one.closed_date, one.expected_close, one.n_reopened, one.is_archived),
        )
        for one in truth.sales.deals.values()
    }

    found = road.rows(
        "select deal_key, status, stage_key, owner_user_key, currency_code, is_currency_assumed, "
        "amount_amt, amount_rc, probability, closed_date, expected_close_date, n_reopened, "
        "is_archived from marts.fct_deal"
    )

    assert [] == differences(expected, keyed(found))


def test_every_won_deal_is_booked_at_its_win(road: Road, truth: Truth) -> None:
    """Won: the amount, the rate and the owner of the day of the win, whatever came later."""
    expected = {
        f"hubspot:{one.id}": (one.booked, one.won_home if one.booked is not None else None)
        for one in truth.sales.deals.values()
        if one.status == "won" and not one.is_archived
    }
    owners = {
        f"hubspot:{one.id}": (one.won_owner,)
        for one in truth.sales.deals.values()
        if one.status == "won" and not one.is_archived
    }

    found = road.rows(
        "select deal_key, amount_at_won_amt, amount_at_won_rc, owner_at_won_user_key "
        "from marts.fct_deal where status = 'won' and not is_deleted"
    )

    assert [] == differences(expected, keyed([row[:3] for row in found]))
    assert [] == differences(owners, keyed([(row[0], row[3]) for row in found]))


def test_totals_by_status_and_currency(road: Road, truth: Truth) -> None:
    """The numbers on the first page: open, won and lost in EUR, USD and JPY."""
    expected = {
        key: (total.count, total.without_amount, total.amount, total.amount_home)
        for key, total in truth.sales.totals.items()
    }

    found = road.rows(
        "with deal as (select status, currency_code, "
        "if(status = 'won', amount_at_won_amt, amount_amt) as amount, "
        "if(status = 'won', amount_at_won_rc, amount_rc) as home "
        "from marts.fct_deal where not is_deleted) "
        "select status, currency_code, count(*), count(*) filter (amount is null), "
        "sum(amount), sum(home) from deal group by all"
    )

    assert {"EUR", "USD", "JPY"} == {key[1] for key in expected}
    assert [] == differences(expected, keyed(found, keys=2))


def gap_values(gap: Gap) -> tuple[object, ...]:
    return (gap.quota, gap.won, gap.won_count, gap.open, gap.overdue, gap.weighted, gap.gap)


@pytest.mark.parametrize("scope", ["company", "team", "user"])
def test_quota_won_open_and_gap_of_every_quarter(road: Road, truth: Truth, scope: str) -> None:
    """Quota: company, teams and people, past and future quarters; an owner who left is there."""
    quarters = truth.sales.quarters
    if scope == "company":
        gaps = {(period, "company"): of.company for period, of in quarters.items()}
    elif scope == "team":
        gaps = {(p, name): gap for p, of in quarters.items() for name, gap in of.teams.items()}
    else:
        gaps = {(p, name): gap for p, of in quarters.items() for name, gap in of.users.items()}

    found = road.rows(
        "select period_key, scope_key, quota_rc, coalesce(won_rc, 0), n_won, "
        "coalesce(open_pipeline_rc, 0), coalesce(overdue_open_rc, 0), coalesce(weighted_rc, 0), "
        f"gap_rc from marts.mart_quota_gap where scope_type = '{scope}' "
        "and credit_type = 'revenue' and period_grain = 'quarter'"
    )

    empty = gap_values(Gap())
    expected = {key: gap_values(gap) for key, gap in gaps.items() if gap_values(gap) != empty}
    told = {key: values for key, values in keyed(found, keys=2).items() if values != empty}
    assert [] == differences(expected, told)


def test_what_lies_outside_of_the_quarter_is_shown_beside_it(road: Road, truth: Truth) -> None:
    """Open deals without a close date, or due before the quarter, are in no quarter's pipeline."""
    found = road.rows(
        "select no_close_date_rc, past_due_other_rc from marts.mart_quota_gap "
        "where scope_type = 'company' and is_current_period and period_grain = 'quarter'"
    )

    sales = truth.sales
    assert [(sales.no_close_date.amount_home, sales.past_due_other)] == found


def test_lost_and_excluded_of_every_quarter(road: Road, truth: Truth) -> None:
    """Win rates divide by these; junk reasons are no losses."""
    expected = {
        period: (of.company.won_count, of.company.won, of.lost, of.lost_home, of.excluded)
        for period, of in truth.sales.quarters.items()
        if of.company.won_count or of.lost or of.excluded
    }

    found = road.rows(
        "select period_key, won_n, coalesce(won_rc, 0), lost_n, coalesce(lost_rc, 0), "
        "excluded_junk_n from marts.mart_win_rate where grain = 'quarter' and dimension = 'all' "
        "and won_n + lost_n + excluded_junk_n > 0"
    )

    assert [] == differences(expected, keyed(found))


@pytest.mark.parametrize("method", ["reached", "touched", "strict"])
def test_funnels_by_cohort(road: Road, truth: Truth, method: str) -> None:
    """Counted to date, for every pipeline and quarter of entry; skipped stages count as reached."""
    expected = {
        (f"hubspot:{pipeline}", period, order): (funnel.deals, count)
        for (pipeline, period), funnel in truth.sales.cohorts.items()
        for order, count in enumerate(getattr(funnel, method), start=1)
    }

    found = road.rows(
        "select pipeline_key, cohort_period_key, stage_order, n_deals, n_reached_to_date "
        "from marts.mart_funnel_cohort where basis = 'pipeline_entry' and segment_type = 'all' "
        f"and method = '{method}'"
    )

    assert [] == differences(expected, keyed(found, keys=3))


@pytest.mark.parametrize(
    ("flag", "kind"),
    [("is_stalled", "stalled"), ("is_rotting", "rotting"), ("is_ghosted", "ghosted")],
)
def test_deals_that_are_unwell(road: Road, truth: Truth, flag: str, kind: str) -> None:
    """Each list by name: a wrong one costs a phone call, a missing one a deal."""
    found = road.rows(f"select deal_key from marts.mart_deal_health where {flag}")

    expected = sorted(f"hubspot:{one}" for one in getattr(truth.sales, kind))
    assert expected == sorted(row[0] for row in found)


def test_health_speaks_of_every_open_deal(road: Road, truth: Truth) -> None:
    """And of no other."""
    found = road.rows("select deal_key from marts.mart_deal_health")

    assert sorted(f"hubspot:{one}" for one in truth.sales.open_ids) == sorted(r[0] for r in found)


# --- money ------------------------------------------------------------------

QUARTER = (
    "join marts.dim_fiscal_period as p on p.grain = 'quarter' "
    "and {day} between p.start_date and p.end_date"
)
ISSUED = "is_billable and status not in ('draft', 'void')"


def flow_values(flow: Flow, *names: str) -> tuple[object, ...]:
    return tuple(getattr(flow, name) for name in names)


METHODS = {
    1: "explicit_id",
    2: "quote",
    3: "subscription",
    4: "po_or_number",
    5: "company_amount",
    6: "domain_amount",
}
INVOICED = ("invoices", "net", "tax", "gross", "net_home")
CREDITED = ("credit_notes", "credited_net", "credited_gross", "credited_net_home")


def test_invoiced_by_currency_and_quarter(road: Road, truth: Truth) -> None:
    """Invoiced: net, tax and gross, and net in euro at the rate of the day of issue."""
    expected = {
        key: flow_values(flow, *INVOICED)
        for key, flow in truth.money.quarters.items()
        if flow.invoices
    }

    found = road.rows(
        "select p.period_key, currency_code, count(*), sum(net_amt), sum(tax_amt), "
        f"sum(gross_amt), sum(net_rc) from marts.fct_invoice {QUARTER.format(day='issue_date')} "
        f"where {ISSUED} group by all"
    )

    assert {"EUR", "USD", "JPY"} == {key[1] for key in expected}
    assert [] == differences(expected, keyed(found, keys=2))


def test_credited_by_currency_and_quarter(road: Road, truth: Truth) -> None:
    """Credited: in the quarter of the credit note, at the rate of its invoice."""
    expected = {
        key: flow_values(flow, *CREDITED)
        for key, flow in truth.money.quarters.items()
        if flow.credit_notes
    }

    found = road.rows(
        "select p.period_key, currency_code, count(*), sum(net_amt), sum(gross_amt), "
        f"sum(net_rc) from marts.fct_credit_note {QUARTER.format(day='issue_date')} "
        "where status = 'issued' group by all"
    )

    assert [] == differences(expected, keyed(found, keys=2))


def test_paid_and_given_back_by_currency_and_quarter(road: Road, truth: Truth) -> None:
    """Paid: in the quarter when money moved, both ways, also outside of Stripe."""
    names = ("paid", "refunded", "returned_outside", "dispute_lost", "written_off")
    expected = {
        key: flow_values(flow, *names)
        for key, flow in truth.money.quarters.items()
        if any(flow_values(flow, *names))
    }

    found = road.rows(
        "select p.period_key, currency_code, "
        "coalesce(sum(applied_amt) filter (kind = 'payment'), 0), "
        "coalesce(-sum(applied_amt) filter (kind = 'refund' and not is_out_of_band), 0), "
        "coalesce(-sum(applied_amt) filter (kind = 'refund' and is_out_of_band), 0), "
        "coalesce(-sum(applied_amt) filter (kind = 'dispute'), 0), "
        "coalesce(sum(applied_amt) filter (kind = 'write_off'), 0) "
        f"from marts.fct_payment_allocation {QUARTER.format(day='applied_date')} "
        "where kind in ('payment', 'refund', 'dispute', 'write_off') group by all"
    )

    assert [] == differences(expected, keyed(found, keys=2))


def test_outstanding_and_balances_by_currency(road: Road, truth: Truth) -> None:
    """What is still to come in; a lost dispute reopens its invoice."""
    expected = {
        currency: (flow.outstanding_ledger, flow.credited_to_balance - flow.taken_from_balance)
        for currency, flow in truth.money.total.items()
    }

    found = road.rows(
        "with due as (select currency_code, sum(balance_amt) as balance from marts.fct_invoice "
        f"where {ISSUED} and status <> 'written_off' group by all), "
        "credit as (select currency_code, -sum(applied_amt) as held "
        "from marts.fct_payment_allocation where kind = 'balance_credit' group by all) "
        "select currency_code, balance, coalesce(held, 0) from due left join credit "
        "using (currency_code)"
    )

    assert [] == differences(expected, keyed(found))


def test_every_deal_has_its_billing_status(road: Road, truth: Truth) -> None:
    """Each rule of the reconciliation, deal by deal, with what its status rests on."""
    expected = {
        f"hubspot:{one.deal}": (
            *(one.billing_status, one.payment_status, one.currency),
            *(one.booked, one.invoiced, one.credited, one.billed),
        )
        for one in truth.money.deals.values()
    }

    found = road.rows(
        "select deal_key, billing_status, payment_status, currency_code, booked_net_amt, "
        "invoiced_net_amt, credited_net_amt, billed_net_amt "
        "from marts.mart_deal_billing_recon where deal_key is not null"
    )

    assert [] == differences(expected, keyed(found))


def test_every_deal_has_its_money(road: Road, truth: Truth) -> None:
    """Paid, given back, written off and outstanding, deal by deal in its own currency."""
    expected = {
        f"hubspot:{one.deal}": (one.paid, one.refunded, one.written_off)
        for one in truth.money.deals.values()
    }

    found = road.rows(
        "select deal_key, paid_gross_amt, refunded_gross_amt, written_off_gross_amt "
        "from marts.mart_deal_billing_recon where deal_key is not null"
    )

    assert [] == differences(expected, keyed(found))


def test_every_status_of_the_reconciliation_occurs(truth: Truth) -> None:
    """A status that no deal has would be held by nothing here."""
    assert 10 == len(truth.money.by_status)


def test_every_invoice_is_linked_as_it_was_made(road: Road, truth: Truth) -> None:
    """The bridge finds the deal of each invoice by the best evidence, and its share of it."""
    expected = {
        (f"stripe:{invoice}", f"hubspot:{deal}"): (net, METHODS[method])
        for invoice, links in truth.money.links.items()
        for deal, net, method in links
    }

    found = road.rows(
        "select invoice_key, deal_key, allocated_net_amt, method from marts.bridge_deal_invoice "
        f"join marts.fct_invoice using (invoice_key) where is_accepted and {ISSUED}"
    )

    assert [] == differences(expected, keyed(found, keys=2))


def test_every_invoice_without_a_deal_says_why(road: Road, truth: Truth) -> None:
    """Follow-ups of a subscription, self-service, and those that nobody can place."""
    expected = {f"stripe:{invoice}": (why,) for invoice, why in truth.money.unlinked.items()}

    found = road.rows(
        "select invoice_key, unlinked_class from marts.mart_deal_billing_recon "
        "where deal_key is null"
    )

    assert [] == differences(expected, keyed(found))


def test_every_residual_of_the_bridge_is_nought(road: Road) -> None:
    """Billed equals forecast plus the named differences, in every row and roll-up."""
    found = road.rows(
        "select row_type, count(*), count(*) filter (residual_rc <> 0 or residual_rc is null) "
        "from marts.mart_billed_vs_forecast group by all"
    )

    assert {"deal", "rollup", "unlinked"} == {row[0] for row in found}
    assert all(rows > 0 for _, rows, _ in found)
    assert [] == [row for row in found if row[2]]


# --- leads, people, mail ----------------------------------------------------


def test_leads_by_stage(road: Road, truth: Truth) -> None:
    """Leads of the CRM without the archived ones, and who of them became a deal."""
    found = road.rows(
        "select lead_stage, count(*), count(*) filter (is_converted) from marts.fct_lead "
        "where origin = 'crm' and not is_deleted group by all"
    )

    assert truth.leads.by_stage == {row[0]: row[1] for row in found}
    assert truth.leads.converted == sum(row[2] for row in found)


def test_messages_are_counted_once_however_many_mailboxes_hold_them(
    road: Road, truth: Truth
) -> None:
    """E-mail of six mailboxes and of the CRM's log, by direction and thread."""
    found = road.rows(
        "select direction, count(*) from marts.fct_email where not is_deleted group by all"
    )
    threads = road.rows("select count(distinct thread_key) from marts.fct_email")

    assert truth.email.all_by_direction == dict(found)
    assert [(truth.email.all_threads,)] == threads


def test_unknown_senders_are_lead_candidates(road: Road, truth: Truth) -> None:
    """By exact address: nobody that the CRM knows, and nobody twice."""
    found = road.rows("select email from marts.fct_lead where origin = 'email' and not is_deleted")

    assert sorted(truth.email.candidates) == sorted(row[0] for row in found)


def test_merged_records_lead_to_the_one_that_is_left(road: Road, truth: Truth) -> None:
    """Also through a merge of merges."""
    singular = {"deals": "deal", "contacts": "contact", "companies": "company"}
    expected = {
        (singular[kind], f"hubspot:{loser}"): (f"hubspot:{survivor}",)
        for kind, pairs in truth.aliases.items()
        for loser, survivor in pairs.items()
    }

    found = road.rows("select record_type, loser_key, survivor_key from marts.map_record_alias")

    assert [] == differences(expected, keyed(found, keys=2))
