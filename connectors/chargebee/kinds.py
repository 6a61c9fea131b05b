"""The lists that are read: in which order, by which clock, and how they tell of deletes."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Catalog: TypeAlias = Literal["1.0", "2.0"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One list, ``GET /<name>``, whose elements hold the object under ``key``.

    ``order`` is an immutable attribute that the list can be sorted by; None is its own
    order, by creation. ``clock`` is what a window of changes filters.
    """

    name: str
    key: str
    description: str
    order: str | None = None
    clock: str = "updated_at"
    shows_deleted: bool = True
    """Knows ``include_deleted``; a list that does not is compared whole now and then."""
    deleted_event: str | None = None
    """The event that tells of a delete which the list does not show."""
    catalog: Catalog | None = None
    """Exists in this product catalogue alone."""
    is_optional: bool = False
    """A feature that a site may not have."""
    lines_path: str | None = None
    """Where a quote that shows no lines keeps them: below the object."""
    has_more_lines: bool = False
    """An object with very many lines shows only the first."""

    @property
    def path(self) -> str:
        """The list's address below the API's."""
        return f"/{self.name}"

    @property
    def list_params(self) -> tuple[tuple[str, str], ...]:
        """What is asked of every page of the list."""
        params: list[tuple[str, str]] = []
        if self.order is not None:
            params.append(("sort_by[asc]", self.order))
        if self.shows_deleted:
            params.append(("include_deleted", "true"))
        return tuple(params)


def _item(name: str, key: str, description: str, order: str | None) -> Kind:
    """A part of Product Catalog 2.0."""
    event = f"{key}_deleted"
    return Kind(name, key, description, order, shows_deleted=False, deleted_event=event,
                catalog="2.0")  # fmt: skip


KINDS: tuple[Kind, ...] = (
    Kind("customers", "customer", "Customers with their contacts and hierarchy.", "created_at"),
    Kind("subscriptions", "subscription", "Subscriptions with items and discounts.", "created_at"),
    Kind("invoices", "invoice", "Invoices with lines and what was applied to them.", "date",
         has_more_lines=True),
    Kind("credit_notes", "credit_note", "Credit notes with allocations and refunds.", "date",
         has_more_lines=True),
    Kind("transactions", "transaction", "Payments, refunds, reversals, authorizations.", "date"),
    Kind("quotes", "quote", "Quotes with their lines.", "date", is_optional=True,
         lines_path="quote_line_groups"),
    Kind("orders", "order", "Orders of goods.", "created_at", is_optional=True),
    _item("item_families", "item_family", "Product families.", None),
    _item("items", "item", "Plans, add-ons and charges.", "id"),
    _item("item_prices", "item_price", "Prices of items by currency and period.", "id"),
    Kind("plans", "plan", "Plans of Product Catalog 1.0.", catalog="1.0"),
    Kind("addons", "addon", "Add-ons of Product Catalog 1.0.", catalog="1.0"),
    Kind("coupons", "coupon", "Coupons.", "created_at", shows_deleted=False,
         deleted_event="coupon_deleted"),
    Kind("promotional_credits", "promotional_credit", "Credits given and taken by hand.",
         clock="created_at", shows_deleted=False),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}

LINES = {"invoices": "invoice_line_pages", "credit_notes": "credit_note_line_pages"}
"""The stream of further lines, by the list that they belong to."""
QUOTE_LINES = "quote_line_groups"
CHILDREN = {**LINES, "quotes": QUOTE_LINES}
ALL_STREAMS = (*(kind.name for kind in KINDS), *CHILDREN.values())
