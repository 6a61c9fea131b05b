"""Digests of the published company hold its marts' rows, each once, and nobody else's."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipeledger.alerts.facts import read_facts
from pipeledger.alerts.plan import plan
from pipeledger.alerts.sent import SentLog
from tests.e2e.road import Road

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]
DAY = date(2026, 10, 15)


def test_every_due_deal_is_in_one_digest_or_named_as_unread(road: Road, tmp_path: Path) -> None:
    """None is lost, none is told twice, and the values are the mart's to the cent."""
    facts = read_facts(road.settings)
    made = plan(road.settings, facts, [], SentLog(tmp_path, DAY), DAY)

    owners = [message.digest for message in made.messages if message.digest.topic == "owner"]
    told = [reminder.deal_key for digest in owners for reminder in digest.reminders]
    unread = [text.partition(": owner")[0] for text in made.refused if ": owner" in text]
    due = {key for (key,) in road.rows("select deal_key from marts.mart_follow_up where is_due")}
    assert due == {*told, *unread}
    assert len(due) == len(told) + len(unread)
    assert len(owners) == len({digest.to for digest in owners}) > 5
    ((expected,),) = road.rows(
        "select sum(value_at_stake_rc) from marts.mart_follow_up "
        f"where is_due and deal_key not in ({', '.join(repr(key) for key in [*unread, ''])})"
    )
    totals = [section.total.amount for d in owners for section in d.sections if section.total]
    assert expected == sum(totals, Decimal(0))


def test_managers_see_their_gap_and_bridges_that_end_at_the_marts_end(road: Road) -> None:
    """The digest adds nothing up: start, moves and end are the mart's rows."""
    facts = replace(read_facts(road.settings), as_of=datetime(2026, 10, 15, 6, tzinfo=UTC))

    assert facts.gaps
    for key, teams in facts.teams.items():
        assert key in facts.users
        assert teams
    by_team: dict[tuple[str, str], Decimal] = {}
    for row in facts.movement:
        sign = -1 if row["row_type"] == "end" else 1
        bridge = (row["team_key"], row["measure"])
        by_team[bridge] = by_team.get(bridge, Decimal(0)) + sign * row["amount_rc"]
    assert by_team
    assert {Decimal(0)} == set(by_team.values())
