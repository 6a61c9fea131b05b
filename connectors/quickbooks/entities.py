"""The entities that are read, and how each tells of its changes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of the Accounting API.

    ``has_active`` marks name lists, which show active rows only unless asked. ``in_cdc`` is
    False where change data capture is not offered: those short lists are read whole each
    time. ``touched_by`` names entities that change its balance, possibly without moving its
    own clock.
    """

    stream: str
    name: str
    description: str
    has_active: bool = False
    in_cdc: bool = True
    touched_by: tuple[str, ...] = ()


ENTITIES: tuple[Entity, ...] = (
    Entity("customers", "Customer", "Customers, and the jobs below them.", has_active=True),
    Entity("items", "Item", "Products and services.", has_active=True),
    Entity(
        "invoices",
        "Invoice",
        "Invoices with their lines.",
        touched_by=("Payment", "CreditMemo"),
    ),
    Entity("sales_receipts", "SalesReceipt", "Sales that were paid at once."),
    Entity("credit_memos", "CreditMemo", "Credit notes with lines.", touched_by=("Payment",)),
    Entity("refund_receipts", "RefundReceipt", "Money given back."),
    Entity("payments", "Payment", "Payments, and what they were applied to."),
    Entity("estimates", "Estimate", "Quotes with their lines."),
    Entity("deposits", "Deposit", "Deposits to a bank account."),
    Entity("journal_entries", "JournalEntry", "Entries made by hand."),
    Entity("vendors", "Vendor", "Suppliers.", has_active=True),
    Entity(
        "bills",
        "Bill",
        "Suppliers' invoices.",
        touched_by=("BillPayment", "VendorCredit"),
    ),
    Entity("bill_payments", "BillPayment", "Payments of suppliers' invoices."),
    Entity("vendor_credits", "VendorCredit", "Suppliers' credit notes."),
    Entity("accounts", "Account", "The chart of accounts.", has_active=True),
    Entity("terms", "Term", "Terms of payment.", has_active=True),
    Entity("payment_methods", "PaymentMethod", "Ways of payment.", has_active=True),
    Entity("classes", "Class", "Classes.", has_active=True),
    Entity("departments", "Department", "Locations.", has_active=True),
    Entity("tax_codes", "TaxCode", "Tax codes.", has_active=True, in_cdc=False),
    Entity("tax_rates", "TaxRate", "Tax rates.", has_active=True, in_cdc=False),
)
BY_STREAM = {entity.stream: entity for entity in ENTITIES}
SINGLES = {"company_info": "CompanyInfo", "preferences": "Preferences"}
"""Entities of which a company has one."""
EXCHANGE_RATES = "exchange_rates"
ALL_STREAMS = (*BY_STREAM, *SINGLES, EXCHANGE_RATES)
