"""The second day: what happens between the frozen today and the same hour a day later.

The world is built anew from its seed, lived on for one day, and rendered again; what
differs is what the servers apply before the second sync, and the truth is counted of the
later world like that of the first.
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.company.clock import SECOND_DAY
from sandbox.company.mail import deliver
from sandbox.company.mailboxes import Post
from sandbox.company.model import World
from sandbox.company.next_day import NextDay
from sandbox.company.world import build_world

Object = dict[str, Any]
CHILDREN = ("invoice_line_items", "customer_balance_transactions")


@dataclass(slots=True)
class Difference:
    """Objects that are new or changed, by type or stream, and ids that no list shows more.

    ``children`` holds what lies under a parent's id: an invoice's lines, a customer's
    balance transactions.
    """

    changed: dict[str, list[Object]] = field(default_factory=dict)
    gone: dict[str, list[str]] = field(default_factory=dict)
    children: dict[str, dict[str, list[Object]]] = field(default_factory=dict)


def difference(before: dict[str, Any], after: dict[str, Any]) -> Difference:
    """Compare two renderings, object by object. An event never changes: only new ones count."""
    found = Difference()
    for kind, objects in after.items():
        if kind in CHILDREN:
            old_children = before[kind]
            changed_children = {
                parent: held for parent, held in objects.items() if old_children.get(parent) != held
            }
            found.children[kind] = changed_children
        elif isinstance(objects, list):
            old = {one["id"]: one for one in before[kind]}
            is_log = kind == "events"
            changed = [
                one
                for one in objects
                if (one["id"] not in old if is_log else old.get(one["id"]) != one)
            ]
            if changed:
                found.changed[kind] = changed
            kept = {one["id"] for one in objects}
            gone = [] if is_log else [id_ for id_ in old if id_ not in kept]
            if gone:
                found.gone[kind] = gone
    return found


def second_day(seed: int, scale: float) -> tuple[World, Post]:
    """The world and the mail a day later."""
    world = build_world(seed, scale, today=SECOND_DAY)
    post = deliver(world)
    NextDay(world, post).live()
    return world, post
