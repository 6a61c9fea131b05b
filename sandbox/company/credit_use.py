"""Which invoices used up which credit notes, for vendors that say so: the oldest note first."""

from collections import defaultdict, deque
from dataclasses import dataclass

from sandbox.company.ledger import Books, CreditNote, Invoice


@dataclass(frozen=True, slots=True)
class CreditUse:
    """A part of a credit note's amount, in minor units, that an invoice took, and when."""

    note: CreditNote
    invoice: Invoice
    amount: int
    at: int


def credit_uses(books: Books) -> dict[str, list[CreditUse]]:
    """Invoice id -> what it took of the customer's credit."""
    invoices = {one.id: one for one in books.invoices}
    notes = {note.id: note for one in books.invoices for note in one.credits}
    waiting: dict[str, deque[tuple[CreditNote, int]]] = defaultdict(deque)
    found: dict[str, list[CreditUse]] = defaultdict(list)
    for move in sorted(books.balance_moves, key=lambda one: (one.at, one.amount)):
        mine = waiting[move.customer.id]
        if move.amount < 0:
            mine.append((notes[move.credit_note or ""], -move.amount))
            continue
        taker = invoices[move.invoice or ""]
        wanted = move.amount
        while wanted:
            note, left = mine.popleft()
            part = min(wanted, left)
            wanted -= part
            found[taker.id].append(CreditUse(note, taker, part, move.at))
            if left > part:
                mine.appendleft((note, left - part))
    return dict(found)
