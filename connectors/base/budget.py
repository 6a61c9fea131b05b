"""The vendor's allowances, kept by us so that they are reached and never passed.

A ``Limit`` is one allowance: so many units per sliding window or per calendar day or
month. A ``Budget`` is what a request names; it draws on one or more limits, and limits
of one name are one bucket, whichever budget draws on it:

    TEN_SECONDS = Limit("ten_seconds", 100, per=timedelta(seconds=10))
    DAILY = Limit("daily", 250_000, per="day", reserve=0.1)
    BUDGETS = (
        Budget("default", (TEN_SECONDS, DAILY), concurrency=8),
        Budget("search", (Limit("search", 4, per=timedelta(seconds=1)), DAILY), concurrency=2),
    )

The counts live in one small memory-mapped file per limit in the connection's state
folder: every process of this machine draws from the same bucket, a killed one leaves a
right count behind, and a request costs a kernel lock and a few bytes of memory, not a
file write.
"""

import asyncio
import mmap
import os
import struct
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from connectors.base.errors import BudgetSpent, ConfigError
from connectors.base.locks import hold
from connectors.base.window import instant_text

Per: TypeAlias = timedelta | Literal["day", "month"]


@dataclass(frozen=True, slots=True)
class Limit:
    """One allowance of the vendor: ``amount`` units ``per`` window.

    A timedelta slides; "day" and "month" begin at midnight in ``zone``. ``reserve`` is
    the share (0 to 1) left for the vendor's other users of the same account.
    """

    name: str
    amount: int
    per: Per
    reserve: float = 0.0
    zone: str = "UTC"
    per_request: bool = False
    """A request counts one here, whatever it costs elsewhere."""

    @property
    def usable(self) -> int:
        """Units that we may use per window, at least one."""
        return max(1, int(self.amount * (1 - self.reserve)))


@dataclass(frozen=True, slots=True)
class Budget:
    """What a request draws on, and how many such requests may be under way at once.

    ``concurrency`` is halved by every 429 and grows back by one each
    ``recover_seconds`` up to ``ceiling`` (the starting value where it is None).
    """

    name: str = "default"
    limits: tuple[Limit, ...] = ()
    concurrency: int = 8
    ceiling: int | None = None
    recover_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Observed:
    """What an answer's headers say of one limit; None where they are silent."""

    amount: int | None = None
    remaining: int | None = None


_HEADER = struct.Struct("<8sqddd")  # magic, head, paused until, period, used
_MAGIC = b"plbudg01"
_SLOTS = 4096
_SLOT = struct.Struct("<d")
_SIZE = _HEADER.size + _SLOTS * _SLOT.size


class _Tally:
    """The shared memory of one limit: a ring of grant times, and a calendar count.

    Times are of the monotonic clock, which all processes of a machine share; values
    from before a restart lie in the future and are taken as absent.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with hold(self._file):
            if os.fstat(self._file).st_size != _SIZE:
                os.ftruncate(self._file, _SIZE)
            self._memory = mmap.mmap(self._file, _SIZE)
            if self._memory[:8] != _MAGIC:
                self._memory[:] = bytes(_SIZE)
                _HEADER.pack_into(self._memory, 0, _MAGIC, 0, 0.0, 0.0, 0.0)

    def close(self) -> None:
        self._memory.close()
        os.close(self._file)

    def _slot(self, rank: int, head: int, now: float) -> float | None:
        """The time of the ``rank``-th newest grant (1 is the newest)."""
        offset = _HEADER.size + ((head - rank) % _SLOTS) * _SLOT.size
        (when,) = _SLOT.unpack_from(self._memory, offset)
        return when if 0.0 < when <= now else None

    def slide(self, slots: int, capacity: int, window: float) -> float:
        """Take ``slots`` of ``capacity`` per ``window`` seconds.

        Returns 0.0 when they were taken, else the seconds until they may be.
        """
        with hold(self._file):
            now = time.monotonic()
            magic, head, paused, period, used = _HEADER.unpack_from(self._memory)
            if now < paused <= now + 86_400:
                return float(paused - now)
            oldest = self._slot(max(1, capacity - slots + 1), head, now)
            if oldest is not None and (wait := oldest + window - now) > 0:
                return float(wait)
            for _ in range(slots):
                _SLOT.pack_into(self._memory, _HEADER.size + (head % _SLOTS) * _SLOT.size, now)
                head += 1
            _HEADER.pack_into(self._memory, 0, magic, head, paused, period, used)
            return 0.0

    def count(self, cost: int, capacity: int, period: float) -> bool:
        """Add ``cost`` to the calendar period's count; False when that is too much."""
        with hold(self._file):
            magic, head, paused, stored, used = _HEADER.unpack_from(self._memory)
            if stored != period:
                used = 0.0
            granted = bool(used + cost <= capacity)
            if granted:
                used += cost
            _HEADER.pack_into(self._memory, 0, magic, head, paused, period, used)
            return granted

    def raise_used(self, used: float, period: float) -> None:
        """Take the vendor's word that at least so much of the period is used."""
        with hold(self._file):
            magic, head, paused, stored, ours = _HEADER.unpack_from(self._memory)
            most = used if stored != period else max(used, ours)
            _HEADER.pack_into(self._memory, 0, magic, head, paused, period, most)

    def pause(self, seconds: float) -> None:
        """Let nobody draw for a while, in no process."""
        with hold(self._file):
            magic, head, paused, period, used = _HEADER.unpack_from(self._memory)
            now = time.monotonic()
            until = now + seconds
            if now < paused <= now + 86_400:
                until = max(until, paused)
            _HEADER.pack_into(self._memory, 0, magic, head, until, period, used)

    def used(self, window: float | None, period: float) -> float:
        """Grants within the sliding window, or the calendar period's count."""
        with hold(self._file):
            _, head, _, stored, used = _HEADER.unpack_from(self._memory)
            if window is None:
                return float(used) if stored == period else 0.0
            now = time.monotonic()
            grants = 0
            for rank in range(1, min(head, _SLOTS) + 1):
                when = self._slot(rank, head, now)
                if when is None or now - when >= window:
                    break
                grants += 1
            return float(grants)


def _period(limit: Limit, now: datetime) -> tuple[float, datetime]:
    """The running calendar period's number and the instant (UTC) when it ends."""
    local = now.astimezone(ZoneInfo(limit.zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if limit.per == "month":
        start = midnight.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
    else:
        start = midnight
        end = midnight + timedelta(days=1)
    return float(start.date().toordinal()), end.astimezone(UTC)


class _Bucket:
    """One limit at work."""

    def __init__(self, limit: Limit, folder: Path, wall: Callable[[], datetime]) -> None:
        self.limit = limit
        self._wall = wall
        self._tally = _Tally(folder / f"{limit.name}.bucket")

    def close(self) -> None:
        self._tally.close()

    @property
    def _unit(self) -> int:
        """Vendor units per slot of the ring, so that large windows fit it."""
        return -(-self.limit.usable // (_SLOTS - 1))

    def draw(self, cost: int) -> float:
        """Take the units; 0.0 when granted, else seconds to wait.

        Raises:
            BudgetSpent: a calendar allowance is used up.
        """
        limit = self.limit
        cost = 1 if limit.per_request else cost
        if isinstance(limit.per, timedelta):
            capacity = limit.usable // self._unit
            slots = min(-(-cost // self._unit), capacity)
            return self._tally.slide(slots, capacity, limit.per.total_seconds())
        period, ends = _period(limit, self._wall())
        if self._tally.count(cost, limit.usable, period):
            return 0.0
        raise BudgetSpent(
            f"the allowance {limit.name!r} of {limit.usable} per {limit.per} is used up. "
            f"It returns at {instant_text(ends)}; the next run goes on from the stored cursor.",
            resets_at=ends,
        )

    def pause(self, seconds: float) -> None:
        self._tally.pause(seconds)

    def observe(self, seen: Observed) -> None:
        """Follow what the vendor's headers say."""
        if seen.amount is not None and seen.amount > 0 and seen.amount != self.limit.amount:
            self.limit = replace(self.limit, amount=seen.amount)
        if seen.remaining is not None and not isinstance(self.limit.per, timedelta):
            period, _ = _period(self.limit, self._wall())
            self._tally.raise_used(max(0, self.limit.amount - seen.remaining), period)

    def report(self) -> Mapping[str, Any]:
        limit = self.limit
        if isinstance(limit.per, timedelta):
            seconds = limit.per.total_seconds()
            used = self._tally.used(seconds, 0.0) * self._unit
            per, resets = f"{seconds:g}s", None
        else:
            period, ends = _period(limit, self._wall())
            used, per, resets = self._tally.used(None, period), limit.per, instant_text(ends)
        left = max(0, limit.usable - int(used))
        return {"used": int(used), "left": left, "usable": limit.usable, "per": per,
                "resets_at": resets}  # fmt: skip


class _Gate:
    """How many requests of a budget are under way: halves on 429, recovers slowly."""

    def __init__(self, budget: Budget) -> None:
        self._ceiling = budget.ceiling or budget.concurrency
        self._allowed = budget.concurrency
        self._recover = budget.recover_seconds
        self._changed_at = time.monotonic()
        self._running = 0
        self._free = asyncio.Condition()

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        async with self._free:
            while self._running >= self._allowed:
                await self._free.wait()
            self._running += 1
        try:
            yield
        finally:
            async with self._free:
                self._running -= 1
                now = time.monotonic()
                if self._allowed < self._ceiling and now - self._changed_at >= self._recover:
                    self._allowed += 1
                    self._changed_at = now
                self._free.notify_all()

    def halve(self) -> None:
        self._allowed = max(1, self._allowed // 2)
        self._changed_at = time.monotonic()


class Budgets:
    """All budgets of one connection."""

    def __init__(
        self,
        budgets: Sequence[Budget],
        state_dir: str | Path,
        *,
        longest_wait_seconds: float = 120.0,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        folder = Path(state_dir) / "budget"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._longest_wait = longest_wait_seconds
        self._wall = wall
        self._buckets: dict[str, _Bucket] = {}
        self._draws: dict[str, tuple[str, ...]] = {}
        self._gates: dict[str, _Gate] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        for budget in budgets:
            for limit in budget.limits:
                known = self._buckets.get(limit.name)
                if known is not None and known.limit != limit:
                    raise ConfigError(f"two different limits are named {limit.name!r}")
                if known is None:
                    self._buckets[limit.name] = _Bucket(limit, folder, wall)
            self._draws[budget.name] = tuple(limit.name for limit in budget.limits)
            self._gates[budget.name] = _Gate(budget)
            self._turns[budget.name] = asyncio.Lock()

    def close(self) -> None:
        """Let go of the shared memory."""
        for bucket in self._buckets.values():
            bucket.close()

    @asynccontextmanager
    async def spend(self, budget: str, cost: int = 1) -> AsyncIterator[None]:
        """Wait for the turn and the units, then hold a place while the request runs.

        Raises:
            BudgetSpent: a calendar allowance is used up, or the wait would be too long.
        """
        async with self._gates[budget].enter():
            # One waiter at a time draws; the others queue behind it in order.
            async with self._turns[budget]:
                for name in self._draws[budget]:
                    await self._draw(self._buckets[name], cost)
            yield

    async def _draw(self, bucket: _Bucket, cost: int) -> None:
        while (wait := bucket.draw(cost)) > 0:
            if wait > self._longest_wait:
                resets_at = self._wall() + timedelta(seconds=wait)
                raise BudgetSpent(
                    f"the allowance {bucket.limit.name!r} is free again only at "
                    f"{instant_text(resets_at)}; the next run goes on from the stored cursor.",
                    resets_at=resets_at,
                )
            await asyncio.sleep(wait)

    def throttled(self, budget: str, pause_seconds: float) -> None:
        """The vendor said 429: fewer at once, and nobody for a while."""
        self._gates[budget].halve()
        for name in self._draws[budget]:
            bucket = self._buckets[name]
            if isinstance(bucket.limit.per, timedelta):
                bucket.pause(pause_seconds)

    def observe(self, seen: Mapping[str, Observed]) -> None:
        """Take over what an answer's headers say, per limit name; unknown names pass."""
        for name, observed in seen.items():
            if name in self._buckets:
                self._buckets[name].observe(observed)

    def report(self) -> Mapping[str, Any]:
        """Per limit: units used, left and usable in the running window."""
        return {name: bucket.report() for name, bucket in sorted(self._buckets.items())}
