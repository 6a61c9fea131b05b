"""Allowances are used up to the vendor's limit, by all processes together, and not beyond."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.base.budget import Budget, Budgets, Limit, Observed
from connectors.base.errors import BudgetSpent, ConfigError

HOUR = Limit("hourly", 3, per=timedelta(hours=1))
DAILY = Limit("daily", 10, per="day", zone="Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def spend(budgets: Budgets, times: int, budget: str = "default", cost: int = 1) -> None:
    for _ in range(times):
        async with budgets.spend(budget, cost):
            pass


async def test_a_sliding_window_is_used_in_full_and_not_beyond(tmp_path: Path) -> None:
    """One request too many is a 429; one too few is a slower sync."""
    budgets = Budgets((Budget(limits=(HOUR,)),), tmp_path)

    await spend(budgets, 3)

    with pytest.raises(BudgetSpent, match="hourly"):
        await spend(budgets, 1)
    assert {
        "used": 3,
        "left": 0,
        "usable": 3,
        "per": "3600s",
        "resets_at": None,
    } == budgets.report()["hourly"]


async def test_a_limit_of_requests_counts_one_whatever_the_request_costs(tmp_path: Path) -> None:
    """Pipedrive counts requests in a burst and tokens in a day."""
    burst = Limit("burst", 3, per=timedelta(hours=1), per_request=True)
    tokens = Limit("tokens", 100, per=timedelta(hours=1))
    budgets = Budgets((Budget(limits=(burst, tokens)),), tmp_path)

    await spend(budgets, 3, cost=20)

    report = budgets.report()
    assert (3, 60) == (report["burst"]["used"], report["tokens"]["used"])
    with pytest.raises(BudgetSpent, match="burst"):
        await spend(budgets, 1)


async def test_two_processes_and_a_restart_share_one_bucket(tmp_path: Path) -> None:
    """The vendor counts the account, not our processes."""
    first = Budgets((Budget(limits=(HOUR,)),), tmp_path)
    second = Budgets((Budget(limits=(HOUR,)),), tmp_path)

    await spend(first, 2)
    await spend(second, 1)
    first.close()

    restarted = Budgets((Budget(limits=(HOUR,)),), tmp_path)
    for one in (second, restarted):
        with pytest.raises(BudgetSpent):
            await spend(one, 1)


async def test_a_short_window_is_waited_for(tmp_path: Path) -> None:
    """Second limits are a matter of pace, not of giving up."""
    quick = Limit("quick", 5, per=timedelta(milliseconds=50))
    budgets = Budgets((Budget(limits=(quick,)),), tmp_path)

    await spend(budgets, 12)

    assert budgets.report()["quick"]["used"] <= 5


async def test_a_daily_allowance_returns_at_midnight_of_its_zone(tmp_path: Path) -> None:
    """HubSpot's day ends in the account's zone; UTC would be two hours late."""
    now = at("2026-10-15T21:59:00")
    budgets = Budgets((Budget(limits=(DAILY,)),), tmp_path, wall=lambda: now)
    await spend(budgets, 2, cost=5)

    with pytest.raises(BudgetSpent) as caught:
        await spend(budgets, 1)
    now = at("2026-10-15T22:00:00")
    await spend(budgets, 1)

    assert at("2026-10-15T22:00:00") == caught.value.resets_at
    assert 1 == budgets.report()["daily"]["used"]


async def test_a_month_begins_on_its_first_day(tmp_path: Path) -> None:
    """Yearly allowances are counted by the month as well."""
    now = at("2026-12-31T23:59:00")
    monthly = Limit("monthly", 1, per="month")
    budgets = Budgets((Budget(limits=(monthly,)),), tmp_path, wall=lambda: now)
    await spend(budgets, 1)

    with pytest.raises(BudgetSpent) as caught:
        await spend(budgets, 1)

    assert at("2027-01-01T00:00:00") == caught.value.resets_at


async def test_a_reserve_is_left_to_the_accounts_other_users(tmp_path: Path) -> None:
    """A sync that takes the last request stops the company's other tools."""
    kept = Limit("daily", 10, per="day", reserve=0.2)
    budgets = Budgets((Budget(limits=(kept,)),), tmp_path)

    await spend(budgets, 8)

    with pytest.raises(BudgetSpent):
        await spend(budgets, 1)


async def test_the_vendors_word_on_what_is_left_beats_our_count(tmp_path: Path) -> None:
    """Other tools draw on the same day; only the vendor sees them."""
    budgets = Budgets((Budget(limits=(DAILY,)),), tmp_path)

    budgets.observe({"daily": Observed(amount=100, remaining=1), "unknown": Observed(remaining=0)})
    await spend(budgets, 1)

    with pytest.raises(BudgetSpent):
        await spend(budgets, 1)


async def test_limits_of_one_name_are_one_bucket(tmp_path: Path) -> None:
    """Search and lists share the day."""
    budgets = Budgets((Budget("a", (HOUR,)), Budget("b", (HOUR,))), tmp_path)
    await spend(budgets, 2, "a")
    await spend(budgets, 1, "b")

    with pytest.raises(BudgetSpent):
        await spend(budgets, 1, "a")


def test_two_limits_of_one_name_must_be_equal(tmp_path: Path) -> None:
    """Otherwise the second would silently not count."""
    other = Limit("hourly", 4, per=timedelta(hours=1))

    with pytest.raises(ConfigError, match="hourly"):
        Budgets((Budget("a", (HOUR,)), Budget("b", (other,))), tmp_path)


async def test_a_429_pauses_every_process_and_halves_what_runs_at_once(tmp_path: Path) -> None:
    """One process told to slow down must not leave the others storming on."""
    plan = (Budget(limits=(HOUR,), concurrency=4),)
    mine, theirs = Budgets(plan, tmp_path), Budgets(plan, tmp_path)
    running = most = 0

    mine.throttled("default", 600.0)

    with pytest.raises(BudgetSpent):
        await spend(theirs, 1)

    free = Budgets((Budget(concurrency=4),), tmp_path)
    free.throttled("default", 0.0)

    async def work() -> None:
        nonlocal running, most
        async with free.spend("default"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work() for _ in range(20)))
    assert 2 == most


@pytest.mark.parametrize("damage", [b"", b"x" * 10, b"\xff" * 40_000])
async def test_a_damaged_count_starts_anew(tmp_path: Path, damage: bytes) -> None:
    """A torn file must not stop the sync for ever."""
    (tmp_path / "budget").mkdir()
    (tmp_path / "budget" / "hourly.bucket").write_bytes(damage)

    budgets = Budgets((Budget(limits=(HOUR,)),), tmp_path)
    await spend(budgets, 3)

    assert 0 == budgets.report()["hourly"]["left"]
