"""How records of Odoo are written: numbered rows with their stamps, and a quotation with lines."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sandbox.company.clock import instant
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import Line

Row = dict[str, Any]
Tables = dict[str, dict[int, Row]]
CURRENCY_IDS = {"EUR": 1, "USD": 2, "JPY": 3}


def at_second(at: int) -> datetime:
    """An instant as the API shows it."""
    return instant(at).replace(microsecond=0)


def put(tables: Tables, model: str, row: Row, at: int, number: int | None = None) -> int:
    """A record with its stamps; its number."""
    table = tables.setdefault(model, {})
    number = number or len(table) + 1
    stamps = {"id": number, "create_date": at_second(at), "write_date": instant(at)}
    table[number] = {**stamps, **row}
    return number


def put_order(
    tables: Tables, number: int, row: Row, lines: Iterable[Line], currency: str, at: int
) -> None:
    """A quotation with the lines of its deal, tax-free."""
    row |= {"currency_id": CURRENCY_IDS[currency], "date_order": at_second(at)}
    put(tables, "sale.order", row | {"amount_tax": 0.0}, at, number)
    for line in lines:
        held: Row = {"order_id": number, "product_id": int(product_id(line.product))}
        held |= {"name": f"product {line.product}", "product_uom_qty": float(line.quantity)}
        held |= {"price_unit": float(line.price), "price_subtotal": float(line.amount)}
        held |= {"price_total": float(line.amount), "price_tax": 0.0}
        held |= {"currency_id": CURRENCY_IDS[currency]}
        put(tables, "sale.order.line", held, line.created)
