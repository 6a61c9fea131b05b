"""Digests: from rows of the marts to what one person reads, in an order that says what comes first.

A digest knows values, not their wording: amounts stay decimals until they are written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from pipeledger.alerts.days import WorkingDays
from pipeledger.alerts.facts import Facts, Row
from pipeledger.settings.alerts import Topic


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its currency beside it."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Share:
    """A ratio that is read as per cent."""

    value: float


Value: TypeAlias = Money | Share | date | Decimal | int | str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to read: its name, its value if it has one, and what is to be known about it."""

    title: str
    value: Value | None
    facts: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Items under a heading; ``left_out`` says how many more there are, and their value."""

    heading: str
    items: tuple[Item, ...]
    total: Money | None = None
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Reminder:
    """A calendar entry: the deal and the rule that made it name it for ever."""

    deal_key: str
    check_id: str
    day: date
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Digest:
    """What one person is told on one day about one topic; ``to`` is an address, or "" for rooms."""

    topic: Topic
    to: str
    title: str
    sections: tuple[Section, ...]
    reminders: tuple[Reminder, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """A deal whose owner cannot be written to, and why."""

    deal_key: str
    owner: str
    why: str


def owner_digests(
    facts: Facts, days: WorkingDays, today: date, listed: int
) -> tuple[list[Digest], list[Unread]]:
    """One digest per address that owns deals to act on, and the deals that nobody reads.

    Deals that are snoozed or acknowledged are not due in the mart, and so are not here.
    """
    by_address: dict[str, list[Row]] = {}
    unread = []
    for row in facts.due:
        user = facts.users.get(row["owner_user_key"])
        why = _unreachable(user)
        if user is None or why is not None:
            unread.append(Unread(row["deal_key"], str(row["owner_user_key"]), why or "unknown"))
        else:
            by_address.setdefault(user["email"], []).append(row)
    digests = []
    for address, deals in sorted(by_address.items()):
        team = str(facts.users[deals[0]["owner_user_key"]]["team_key"])
        count = len(deals)
        title = f"{count} deal{'s' if count != 1 else ''} to act on"
        section = _section("Deals to act on", [_deal(row, facts) for row in deals], listed)
        reminders = tuple(_reminder(row, days, today, address, team) for row in deals)
        digests.append(Digest("owner", address, title, (section,), reminders))
    return digests, unread


def manager_digests(facts: Facts, listed: int) -> list[Digest]:
    """One digest per manager with people below who carry quota, in the quarter that runs."""
    by_manager: dict[str, list[Row]] = {}
    for row in facts.gaps:
        by_manager.setdefault(row["user_key"], []).append(row)
    digests = []
    for key, gaps in by_manager.items():
        user = facts.users.get(key)
        if user is None or _unreachable(user) is not None:
            continue
        teams = facts.teams.get(key, [])
        pushed = [row for row in facts.pushed if row["team_key"] in teams]
        orphans = [row for row in facts.due if row["manager_user_key"] == key and _lost(row, facts)]
        sections = (
            _section("Quota gap", [_gap(row, facts) for row in gaps], listed, has_total=False),
            *(_bridge(team, facts) for team in teams),
            _section("Pushed out of the quarter", [_push(row, facts) for row in pushed], listed),
            _section(
                "Deals whose owner gets no mail", [_deal(row, facts) for row in orphans], listed
            ),
        )
        period = gaps[0]["period_key"]
        kept = tuple(one for one in sections if one.items)
        digests.append(Digest("manager", user["email"], f"{period}: gap and movement", kept))
    return digests


def finance_digest(facts: Facts, to: str, listed: int) -> Digest | None:
    """What is won and not billed, and what is billed and not won; None if there is neither."""
    unbilled = [row for row in facts.billing if row["billing_status"] == "unbilled_late"]
    unwon = [row for row in facts.billing if row["billing_status"] == "billed_not_won"]
    sections = (
        _section("Won, not billed", [_unbilled(row, facts) for row in unbilled], listed),
        _section("Billed, not won", [_unwon(row, facts) for row in unwon], listed),
    )
    title = f"{len(unbilled)} won and not billed, {len(unwon)} billed and not won"
    kept = tuple(one for one in sections if one.items)
    return Digest("finance", to, title, kept) if kept else None


def _unreachable(user: Row | None) -> str | None:
    if user is None:
        return "no such person"
    if not user["is_active"]:
        return "no longer active"
    return None if user["email"] else "no mail address"


def _lost(row: Row, facts: Facts) -> bool:
    return _unreachable(facts.users.get(row["owner_user_key"])) is not None


def _section(
    heading: str, items: Sequence[Item], listed: int, *, has_total: bool = True
) -> Section:
    """The first of the items; the total is that of all of them."""
    amounts = [item.value for item in items if isinstance(item.value, Money)]
    total = None
    if has_total and amounts:
        total = Money(sum((one.amount for one in amounts), Decimal(0)), amounts[0].currency)
    return Section(heading, tuple(items[:listed]), total, max(0, len(items) - listed))


def _given(pairs: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Value], ...]:
    return tuple((label, value) for label, value in pairs if value is not None)


def _money(amount: Decimal | None, facts: Facts) -> Money | None:
    return None if amount is None else Money(amount, facts.currency)


def _share(value: float | None) -> Share | None:
    return None if value is None else Share(value)


def _name(row: Row) -> str:
    return str(row["name"] or row["deal_key"])


def _deal(row: Row, facts: Facts) -> Item:
    return Item(
        _name(row),
        _money(row["value_at_stake_rc"], facts),
        _given(
            [
                ("Why", row["top_reason"]),
                ("Also", _others(row)),
                ("Since", row["first_flagged_date"]),
                ("Days", row["days_open"]),
                ("Next step", row["suggested_action"]),
                ("By", row["suggested_next_date"]),
                ("Deal", row["deal_key"]),
            ]
        ),
    )


def _others(row: Row) -> str | None:
    """The reasons beside the one that is told first."""
    every = str(row["all_reasons"] or "").split("; ")
    return "; ".join(one for one in every if one != row["top_reason"]) or None


def _reminder(row: Row, days: WorkingDays, today: date, address: str, team: str) -> Reminder:
    """On the mart's day or the next on which the owner works; never in the past."""
    day = days.next_working(max(row["suggested_next_date"] or today, today), address, team)
    text = f"{row['top_reason']}\n{row['suggested_action'] or ''}\n{row['deal_key']}"
    title = f"{row['suggested_action'] or 'Follow up'}: {_name(row)}"
    return Reminder(row["deal_key"], row["top_check_id"], day, title, text)


def _gap(row: Row, facts: Facts) -> Item:
    return Item(
        f"{row['period_key']}, {row['measure']}",
        _money(row["gap_rc"], facts),
        _given(
            [
                ("Quota", _money(row["quota_rc"], facts)),
                ("Won", _money(row["won_rc"], facts)),
                ("Attainment", _share(row["attainment"])),
                ("Open pipeline", _money(row["open_pipeline_rc"], facts)),
                ("Coverage", _share(row["coverage"])),
                ("Needed", _share(row["required_coverage"])),
                ("Against pace", _money(row["pace_delta_rc"], facts)),
                ("Overdue", _money(row["overdue_open_rc"], facts)),
                ("Business days left", row["business_days_left"]),
            ]
        ),
    )


def _bridge(team: str, facts: Facts) -> Section:
    """The quarter's pipeline of a team from its start to now; its end is no sum of ours."""
    lines = [row for row in facts.movement if row["team_key"] == team]
    items = [
        Item(
            f"{row['reason']} ({row['measure']})",
            _money(row["amount_rc"], facts),
            (("Deals" if row["row_type"] != "movement" else "Moves", int(row["n_events"])),),
        )
        for row in lines
        if row["row_type"] != "movement" or row["n_events"]
    ]
    return Section(f"Movement of {team}", tuple(items))


def _push(row: Row, facts: Facts) -> Item:
    return Item(
        _name(row),
        _money(row["pushed_rc"], facts),
        _given(
            [
                ("Owner", row["owner"]),
                ("From", row["old_expected_close_date"]),
                ("To", row["expected_close_date"] or "no date"),
                ("On", row["posted_date"]),
                ("Slip", "late in the quarter" if row["is_slip"] else None),
                ("Deal", row["deal_key"]),
            ]
        ),
    )


def _unbilled(row: Row, facts: Facts) -> Item:
    return Item(
        _name(row),
        _money(row["booked_net_rc"], facts),
        _given(
            [
                ("Won on", row["won_date"]),
                ("Days", (facts.as_of_date - row["won_date"]).days if row["won_date"] else None),
                ("Owner", row["owner"]),
                ("Next step", "bill it, or say why it is not billed"),
                ("Deal", row["deal_key"]),
            ]
        ),
    )


def _unwon(row: Row, facts: Facts) -> Item:
    return Item(
        _name(row),
        _money(row["billed_net_rc"], facts),
        _given(
            [
                ("First invoice", row["first_invoice_date"]),
                ("Deal is", row["deal_status"]),
                ("Owner", row["owner"]),
                ("Next step", "win the deal in the CRM, or credit the invoice"),
                ("Deal", row["deal_key"]),
            ]
        ),
    )
