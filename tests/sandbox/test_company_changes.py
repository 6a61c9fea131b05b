"""The second day of the fictional company."""

import pytest

from sandbox.company import Changes, Company, build
from sandbox.company.clock import SECOND_DAY, TODAY, iso

FROM, TO = iso(TODAY), iso(SECOND_DAY)


@pytest.fixture(scope="module")
def company() -> Company:
    """A tenth of the company."""
    return build(seed=7, scale=0.1)


@pytest.fixture(scope="module")
def changes(company: Company) -> Changes:
    """Its second day."""
    return company.changes()


def test_the_second_day_is_the_same_each_time(company: Company, changes: Changes) -> None:
    """A second sync is compared with a truth that must not move."""
    again = company.changes()

    assert changes.hubspot == again.hubspot
    assert changes.stripe == again.stripe
    assert changes.mail == again.mail


def test_what_changed_was_stamped_inside_the_day_or_not_at_all(
    company: Company, changes: Changes
) -> None:
    """Only what HubSpot itself forgets to stamp may change without a new stamp."""
    before = {held["id"]: held for held in company.hubspot["deals"]}
    silent = 0
    for deal in changes.hubspot.changed["deals"]:
        old = before.get(deal["id"])
        if old and old["updatedAt"] == deal["updatedAt"]:
            silent += 1
            differing = {
                name
                for name, value in deal["properties"].items()
                if value != old["properties"][name]
            }
            assert differing <= {"amount_in_home_currency"}, deal["id"]
        else:
            assert FROM < deal["updatedAt"] < TO

    assert 0 < silent < len(changes.hubspot.changed["deals"])


def test_new_histories_only_grow(company: Company, changes: Changes) -> None:
    """The past of a property is never rewritten by a later day."""
    before = {held["id"]: held for held in company.hubspot["deals"]}
    for deal in changes.hubspot.changed["deals"]:
        if old := before.get(deal["id"]):
            for name, entries in old["history"].items():
                assert deal["history"][name][len(deal["history"][name]) - len(entries) :] == entries


def test_merged_away_ids_lead_to_one_survivor_over_two_days(changes: Changes) -> None:
    """A into B yesterday and B into C today: A's facts belong to C."""
    aliases = changes.after.truth.aliases["deals"]
    live = {held["id"] for held in changes.after.hubspot["deals"]}

    assert changes.hubspot.gone["deals"]
    for loser in changes.hubspot.gone["deals"]:
        assert aliases[loser] in live
    assert set(aliases.values()) <= live


def test_the_day_holds_every_kind_of_change(changes: Changes) -> None:
    """A kind that is missing is a path of the incremental sync that nobody walks."""
    mess = changes.after.truth.mess
    kinds = {
        *("created", "forward", "won", "lost", "push", "amount", "reopened", "merged", "deleted"),
        *("answered", "billed", "paid"),
    }

    assert all(mess[f"day_two_{kind}"] for kind in kinds)
    assert mess["restored"]
    assert sum(map(len, changes.mail.values())) > 2
    assert set(changes.files) == {"fx_rates.csv"}


def test_events_tell_of_every_changed_invoice(company: Company, changes: Changes) -> None:
    """The events log is the only way to learn that an old invoice moved."""
    told = {event["data"]["object"]["id"] for event in changes.stripe.changed["events"]}
    known = {event["id"] for event in company.stripe["events"]}

    assert {one["id"] for one in changes.stripe.changed["invoices"]} <= told
    assert not known & {event["id"] for event in changes.stripe.changed["events"]}


def test_the_first_day_is_left_as_it_was(company: Company, changes: Changes) -> None:
    """Asking for the second day must not move the first."""
    untouched = build(seed=7, scale=0.1)

    assert changes.after.truth.as_of == "2026-10-16T06:00:00Z"
    assert company.truth == untouched.truth
    assert company.hubspot == untouched.hubspot
