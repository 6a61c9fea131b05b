"""The ledger in Chargebee's shape adds up by Chargebee's own rules."""

import pytest

from sandbox.company import Company, build


@pytest.fixture(scope="module")
def company() -> Company:
    """A tenth of the company, which has every kind of credit."""
    return build(7, 0.1)


def test_what_is_due_is_the_total_less_all_that_was_applied(company: Company) -> None:
    """Paid, adjusted, credited and written off; a void or pending invoice owes nothing."""
    for one in company.chargebee["invoices"]:
        if one["status"] in {"voided", "pending"}:
            assert 0 == one["amount_due"]
            continue
        applied = ("amount_paid", "amount_adjusted", "credits_applied", "write_off_amount")
        assert one["total"] - sum(one[name] for name in applied) == one["amount_due"]


def test_lines_and_taxes_make_the_total(company: Company) -> None:
    """With tax inside the price, or on top of it."""
    for kind in ("invoices", "credit_notes"):
        for one in company.chargebee[kind]:
            amount = sum(line["amount"] - line["discount_amount"] for line in one["line_items"])
            tax = sum(line["tax_amount"] for line in one["line_items"])
            on_top = 0 if one["price_type"] == "tax_inclusive" else tax
            assert one["total"] == amount + on_top, one["id"]


def test_every_id_is_its_own_and_every_reference_leads_somewhere(company: Company) -> None:
    """A note names its invoice, a payment is where an invoice says that it is."""
    site = company.chargebee
    ids = {kind: [one["id"] for one in objects] for kind, objects in site.items()}
    assert all(len(set(found)) == len(found) for found in ids.values())
    transactions, notes = set(ids["transactions"]), set(ids["credit_notes"])
    for one in site["invoices"]:
        assert {part["txn_id"] for part in one["linked_payments"]} <= transactions
        assert {part["cn_id"] for part in one["applied_credits"]} <= notes
        assert {part["cn_id"] for part in one["adjustment_credit_notes"]} <= notes
    for note in site["credit_notes"]:
        assert note["reference_invoice_id"] in ids["invoices"]
        assert {part["txn_id"] for part in note["linked_refunds"]} <= transactions
