"""The truth about the fictional company: it adds up, and each trouble is there."""

from collections import defaultdict
from decimal import Decimal

import pytest

from sandbox.company import Company, build
from sandbox.company.names import JUNK_LOSS_REASONS

ZERO = Decimal(0)


@pytest.fixture(scope="module")
def company() -> Company:
    """The whole company: the sizes and margins are stated for it."""
    return build(seed=7)


@pytest.mark.slow
def test_the_company_has_the_size_that_the_demo_promises(company: Company) -> None:
    """Numbers in the documentation are held to the data."""
    truth = company.truth

    assert len(company.hubspot["deals"]) == 4_000
    assert truth.leads.total == 6_000
    assert 14_500 <= truth.email.sightings + truth.email.internal <= 15_500
    assert {total[1] for total in truth.sales.totals} == {"EUR", "USD", "JPY"}


@pytest.mark.parametrize(
    "kind",
    [
        *("lost_then_won", "won_then_reopened_open", "won_then_reopened_won", "merged_deals"),
        *("merge_of_merges_deals", "merged_contacts", "merged_companies", "deleted", "deleted_won"),
        *("stage_skipped", "moved_backward", "pass_through", "pushed_over_quarter_end"),
        *("pushed_and_back_same_day", "duplicate", "zero_amount", "null_amount", "null_currency"),
        *("amount_edited_after_won", "currency_changed", "plan_won_never_billed", "bulk_edited"),
        *("plan_unbilled_in_grace", "billed_never_won", "plan_over_billed", "plan_reversed"),
        *("plan_deposit", "one_invoice_for_several_deals", "plan_reissued", "plan_candidate_only"),
        *("stalled", "ghosted", "ghosted_cold", "rotting", "owner_left", "unknown_owner"),
        *("no_owner", "no_close_date", "close_at_2330_quarter_end", "pipeline_switched"),
        *("won_late_evening_quarter_end", "paid_in_parts", "paid_outside", "paid_from_balance"),
        *("credited_refund", "credited_balance", "credited_due", "credited_outside"),
        *("written_off", "dispute_lost", "dispute_open", "edited_by_machine"),
    ],
)
def test_every_trouble_of_real_life_is_there(company: Company, kind: str) -> None:
    """A trouble that the data lacks is a rule that the end-to-end test never meets."""
    assert len(company.truth.mess[kind]) >= 2


def test_users_and_teams_add_up_to_the_company(company: Company) -> None:
    """Check Q-05 in the truth itself: a deal lost between scopes would hide in both sides."""
    for period, of in company.truth.sales.quarters.items():
        for scopes in (of.users.values(), of.teams.values()):
            assert sum((gap.won for gap in scopes), ZERO) == of.company.won, period
            assert sum((gap.open for gap in scopes), ZERO) == of.company.open, period
            assert sum(gap.won_count for gap in scopes) == of.company.won_count, period


def test_quarters_add_up_to_all_that_was_won(company: Company) -> None:
    """Every win lies in exactly one fiscal quarter."""
    sales = company.truth.sales
    in_quarters = sum((of.company.won for of in sales.quarters.values()), ZERO)
    in_totals = sum(
        (total.amount_home for (status, _), total in sales.totals.items() if status == "won"), ZERO
    )

    assert in_quarters == in_totals > 0


def test_a_funnel_never_widens(company: Company) -> None:
    """``reached`` may not grow with the order, and contains the stricter counts."""
    for funnel in (*company.truth.sales.funnels.values(), *company.truth.sales.cohorts.values()):
        assert funnel.reached == sorted(funnel.reached, reverse=True)
        assert funnel.reached[0] == funnel.deals or min(funnel.touched_any) == 0
        for strict, touched, reached in zip(
            funnel.strict, funnel.touched, funnel.reached, strict=True
        ):
            assert strict <= touched <= reached


def test_the_truth_agrees_with_what_hubspot_shows(company: Company) -> None:
    """Counted again from the vendor's objects, in another way."""
    shown: dict[str, int] = defaultdict(int)
    lost: dict[str, int] = defaultdict(int)
    for deal in company.hubspot["deals"]:
        values = deal["properties"]
        if deal["archived"]:
            continue
        closed, won = values["hs_is_closed"] == "true", values["hs_is_closed_won"] == "true"
        shown["won" if won else "lost" if closed else "open"] += 1
        if closed and not won:
            lost[str(values["closed_lost_reason"] in JUNK_LOSS_REASONS)] += 1

    sales = company.truth.sales
    for status in ("open", "won", "lost"):
        counted = sum(total.count for key, total in sales.totals.items() if key[0] == status)
        assert shown[status] == counted
    assert lost["False"] == sum(of.lost for of in sales.quarters.values())
    assert lost["True"] == sum(of.excluded for of in sales.quarters.values())


def test_no_verdict_on_health_hangs_on_a_boundary(company: Company) -> None:
    """Readings of "days" differ by hours; the truth must hold under each of them."""
    sales = company.truth.sales
    unwell = set(sales.stalled) | set(sales.rotting) | set(sales.ghosted)

    for deal_id in unwell:
        one = sales.deals[deal_id]
        distance = abs(one.days_in_stage - sales.stage_limits[one.stage])
        assert distance > 5, (deal_id, one.days_in_stage)
    assert min(len(sales.stalled), len(sales.rotting), len(sales.ghosted)) > 40
    assert set(sales.rotting) - set(sales.stalled)
    assert set(sales.ghosted) - set(sales.rotting)


def test_no_billing_status_hangs_on_a_boundary(company: Company) -> None:
    """Every variance is far inside or far outside the tolerance."""
    seen = set()
    for one in company.truth.money.deals.values():
        seen.add(one.billing_status)
        if not one.booked or one.billing_status in {"orphaned", "billed_not_won"}:
            continue
        share = abs(one.billed - one.booked) / one.booked
        assert share < Decimal("0.004") or share > Decimal("0.05"), one.deal
    assert seen == {
        *("orphaned", "billed_not_won", "not_billable", "unbilled_in_grace", "unbilled_late"),
        *("reversed", "over_billed", "fully_billed", "partly_billed_on_plan"),
        "partly_billed_behind",
    }


def test_invoices_are_linked_or_say_why_not(company: Company) -> None:
    """Billed invoices = linked + unlinked; a third kind would be money nobody explains."""
    money = company.truth.money
    billed = {
        one["id"]
        for one in company.stripe["invoices"]
        if one["status"] in {"open", "paid", "uncollectible"}
    }

    assert billed == set(money.links) | set(money.unlinked)
    assert not set(money.links) & set(money.unlinked)
    assert set(money.unlinked.values()) == {"recurring_follow_up", "self_serve", "unmatched"}
    assert {method for links in money.links.values() for _, _, method in links} == {1, 2, 3, 4, 5}


def test_unlinked_invoices_fit_no_deal_of_their_company(company: Company) -> None:
    """Else the matcher by company and amount would rightly link them."""
    world = company.world
    for invoice in world.books.invoices:
        account = invoice.customer.account
        if invoice.links or account is None or invoice.candidate_for or not invoice.is_billed:
            continue
        net = invoice.amount(invoice.net)
        for deal in world.deals:
            if deal.account is account and deal.booked:
                assert abs(net - deal.booked) > deal.booked / 100, (invoice.id, deal.id)


def test_stripe_says_the_same_of_what_is_still_due(company: Company) -> None:
    """Two ways to the receivables: the ledger, and Stripe's own remaining amounts."""
    remaining: dict[str, int] = defaultdict(int)
    for invoice in company.stripe["invoices"]:
        if invoice["status"] == "open":
            remaining[invoice["currency"].upper()] += invoice["amount_remaining"]

    for currency, flow in company.truth.money.total.items():
        digits = 0 if currency == "JPY" else 2
        assert flow.outstanding == Decimal(remaining[currency]).scaleb(-digits)


def test_quarters_of_billing_add_up_to_the_total(company: Company) -> None:
    """An invoice belongs to the quarter of its issue date and to no other."""
    money = company.truth.money
    for currency, total in money.total.items():
        for name in ("invoices", "net", "tax", "gross", "credited_net", "paid", "refunded"):
            parts = [
                getattr(flow, name) for key, flow in money.quarters.items() if key[1] == currency
            ]
            assert sum(parts) == getattr(total, name), (currency, name)
