"""HubSpot: the fictional company, on two days, is landed to the last field."""

from typing import Any

import pytest

from sandbox.company import build
from sandbox.hubspot import HubspotState
from tests.connectors.hubspot.shelf import Shelf

OBJECTS = (
    "deals",
    "contacts",
    "companies",
    "leads",
    "line_items",
    "products",
    "quotes",
    "emails",
    "calls",
    "meetings",
    "tasks",
    "notes",
    "goal_targets",
)


def differences(account: HubspotState, shelf: Shelf) -> list[str]:
    """What landing and the account disagree on; empty when they are one."""
    found = []
    for kind in OBJECTS:
        landed = shelf.live(kind)
        if sorted(landed) != sorted(account.ids(kind)):
            found.append(f"{kind}: {sorted(set(landed) ^ set(account.ids(kind)))[:5]}")
            continue
        for one, record in landed.items():
            entry = account.entry(kind, one)
            assert entry is not None
            held: dict[str, Any] = {
                name: entry.properties.get(name)
                for name in record["properties"]
                # Recalculated with every rate and every day, without a mark of change.
                if name not in ("amount_in_home_currency", "days_to_close")
            }
            history = record.get("propertiesWithHistory", {})
            past = {name: entry.history.get(name, []) for name in history}
            if held.items() - record["properties"].items() or history != past:
                found.append(f"{kind} {one}")
            for target, links in record.get("associations", {}).items():
                ids = {link["id"] for link in links["results"]}
                if ids != set(entry.associations.get(target, {})):
                    found.append(f"{kind} {one} {target}")
    for one, sets in shelf.live("deal_associations").items():
        entry = account.entry("deals", one)
        assert entry is not None
        found += [
            f"deal_associations {one} {target}"
            for target in ("companies", "contacts", "line_items", "quotes")
            if {tie["id"] for tie in sets[target]} != set(entry.associations.get(target, {}))
        ]
    return found


@pytest.mark.slow
async def test_two_days_of_a_company_are_landed_as_the_account_holds_them(
    account: HubspotState, shelf: Shelf
) -> None:
    """First load, a day of deals won, merged, deleted and restored, and the change sync."""
    company = build(scale=0.1)
    account.load(company.hubspot)
    await shelf.sync(*OBJECTS, "owners", "deal_pipelines", "lead_pipelines", "exchange_rates")
    first = differences(account, shelf)
    changes = company.changes()
    account.now = changes.at
    account.apply(changes.hubspot.changed, changes.hubspot.gone)

    await shelf.sync(*OBJECTS, "owners", "exchange_rates")

    second = differences(account, shelf)
    account.advance(days=7)
    await shelf.sync(*OBJECTS)
    assert first == []
    # A merge re-ties others, and rewrites what leads show of their contact, without marking
    # them: that is right within a week.
    marked = [one for one in second if ":" in one or len(one.split()) == 2]
    assert [one for one in marked if not one.startswith("leads ")] == []
    assert differences(account, shelf) == []
    for loser in changes.hubspot.gone["deals"]:
        assert shelf.changes("deals", loser)[-1] == "merged"
    archived = {one for one, change in shelf.newest("deals") if change == "archived"}
    assert archived == set(account.ids("deals", archived=True))


@pytest.mark.slow
async def test_a_third_sync_of_the_company_adds_nothing(
    account: HubspotState, shelf: Shelf
) -> None:
    """The demo run twice must show not one new version."""
    account.load(build(scale=0.1).hubspot)
    await shelf.sync(*OBJECTS)
    account.advance(minutes=30)

    outcomes = await shelf.sync(*OBJECTS)

    assert dict.fromkeys(OBJECTS, 0) == {
        name: len(outcome.added) for name, outcome in outcomes.items()
    }
