"""The fictional company in Stripe's shape: the identities that real invoices obey."""

from collections import defaultdict
from typing import Any

import pytest

from sandbox.company import Company, build
from sandbox.company.events import OLD, PINNED


@pytest.fixture(scope="module")
def company() -> Company:
    """A tenth of the company."""
    return build(seed=7, scale=0.1)


def test_lines_less_discounts_plus_exclusive_taxes_are_the_total(company: Company) -> None:
    """The identity of the fact sheet; a warehouse that misses a part is off by tax."""
    lines = company.stripe["invoice_line_items"]
    for invoice in company.stripe["invoices"]:
        amounts = sum(line["amount"] for line in lines[invoice["id"]])
        discounts = sum(entry["amount"] for entry in invoice["total_discount_amounts"])
        taxes = invoice["total_taxes"]
        on_top = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")

        assert invoice["subtotal"] == amounts
        assert invoice["total"] == amounts - discounts + on_top
        assert (
            invoice["total"] - sum(tax["amount"] for tax in taxes)
            == (invoice["total_excluding_tax"])
        )


def test_what_is_due_is_paid_or_remains(company: Company) -> None:
    """Every open balance of the warehouse is held against amount_remaining."""
    paid: dict[str, int] = defaultdict(int)
    for share in company.stripe["invoice_payments"]:
        paid[share["invoice"]] += share["amount_paid"]

    for invoice in company.stripe["invoices"]:
        assert invoice["amount_paid"] == paid[invoice["id"]]
        assert invoice["amount_due"] == invoice["amount_paid"] + invoice["amount_remaining"]
        assert invoice["amount_remaining"] >= 0
        assert (invoice["status"] == "paid") == (
            invoice["amount_remaining"] == 0 and invoice["status"] not in {"void", "draft"}
        )


def test_the_parts_of_a_credit_note_add_up_to_it(company: Company) -> None:
    """A credit splits into what lowers the bill and what goes back."""
    notes = company.stripe["credit_notes"]
    moved = {
        move["id"]: move["amount"]
        for moves in company.stripe["customer_balance_transactions"].values()
        for move in moves
    }

    assert notes
    for note in notes:
        back = sum(entry["amount_refunded"] for entry in note["refunds"])
        kept = -moved.get(note["customer_balance_transaction"], 0)
        outside = note["out_of_band_amount"] or 0
        assert note["post_payment_amount"] == back + kept + outside
        assert note["total"] == note["pre_payment_amount"] + note["post_payment_amount"]


def test_yen_are_whole_and_taxed_inside_or_on_top(company: Company) -> None:
    """JPY has no minor unit in Stripe: 5000 is five thousand yen."""
    yen = [one for one in company.stripe["invoices"] if one["currency"] == "jpy"]
    behaviours = {tax["tax_behavior"] for one in yen for tax in one["total_taxes"]}

    assert {"inclusive", "exclusive"} == behaviours


def test_long_invoices_show_ten_lines_and_say_that_there_are_more(company: Company) -> None:
    """A connector that trusts the inline lines loses the rest."""
    lines = company.stripe["invoice_line_items"]
    long = [one for one in company.stripe["invoices"] if len(lines[one["id"]]) > 10]

    assert long
    for invoice in long:
        assert len(invoice["lines"]["data"]) == 10
        assert invoice["lines"]["has_more"] is True


def test_the_log_holds_thirty_days_in_the_shapes_of_two_versions(company: Company) -> None:
    """Events keep the version of their day, so a connector meets both shapes."""
    invoices = [event for event in company.stripe["events"] if event["type"].startswith("invoice.")]
    by_version: dict[str, list[Any]] = defaultdict(list)
    for event in invoices:
        by_version[event["api_version"]].append(event["data"]["object"])

    assert {OLD, PINNED} == set(by_version)
    assert all("payment_intent" in one and "parent" not in one for one in by_version[OLD])
    assert all("parent" in one and "charge" not in one for one in by_version[PINNED])


def test_every_reference_leads_to_an_object(company: Company) -> None:
    """Orphans would count against the foreign key check."""
    ids = {
        kind: {one["id"] for one in company.stripe[kind]}
        for kind in ("customers", "invoices", "charges", "payment_intents", "subscriptions")
    }
    for invoice in company.stripe["invoices"]:
        assert invoice["customer"] in ids["customers"]
    for share in company.stripe["invoice_payments"]:
        assert share["invoice"] in ids["invoices"]
        intent = share["payment"].get("payment_intent")
        assert intent is None or intent in ids["payment_intents"]
    for refund in company.stripe["refunds"]:
        assert refund["charge"] in ids["charges"]
