"""A seeded state machine: the vendor changes, faults strike, syncs repeat; I1 to I3 hold."""

import asyncio
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connectors.base.errors import BudgetSpent, VendorError
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport
from tests.sync.vendor import CONNECTION, T0, Vendor, current, query, sync

ids = st.integers(0, 11)


class SyncModel(RuleBasedStateMachine):
    """What landing holds equals the vendor after each complete sync, and never runs ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.vendor = Vendor(page_size=3)
        self.hours = 0
        self.is_level = False

    @initialize()
    def first_records(self) -> None:
        for number in range(8):
            self.vendor.put("deals", f"d{number}", number)
            self.vendor.put("stages", f"s{number}", number)

    @rule(number=ids, value=st.integers(0, 2))
    def change_a_deal(self, number: int, value: int) -> None:
        self.vendor.put("deals", f"d{number}", value)
        self.is_level = False

    @rule(number=ids)
    def delete_a_deal(self, number: int) -> None:
        self.vendor.delete("deals", f"d{number}")
        self.is_level = False

    @rule(number=ids, value=st.integers(0, 2))
    def change_a_stage(self, number: int, value: int) -> None:
        self.vendor.put("stages", f"s{number}", value)
        self.is_level = False

    @rule(page=st.integers(0, 3), is_quota=st.booleans())
    def sync_with_a_fault(self, page: int, is_quota: bool) -> None:
        def strike(stream: str, number: int) -> None:
            if stream == "deals" and number >= page:
                if is_quota:
                    raise BudgetSpent("the day's calls are used up", resets_at=T0)
                raise VendorError("503 after 5 tries", status=503)

        self.vendor.before_page = strike
        self.run()
        self.vendor.before_page = lambda _stream, _page: None

    @rule(is_full=st.booleans())
    def sync_in_peace(self, is_full: bool) -> None:
        report = self.run(is_full=is_full)
        assert report.is_complete
        self.is_level = True

    @precondition(lambda self: self.is_level)
    @rule()
    def sync_again(self) -> None:
        report = self.run()
        assert 0 == sum(one.appended for one in report.streams)

    def run(self, *, is_full: bool = False) -> SyncReport:
        self.hours += 1
        at = T0 + timedelta(hours=self.hours)
        return asyncio.run(sync(self.vendor, self.folder, at=at, full=is_full))

    @invariant()
    def landing_equals_the_vendor_after_a_complete_sync(self) -> None:
        if self.is_level:
            assert self.vendor.live("deals") == current(self.folder, "deals")
            assert self.vendor.live("stages") == current(self.folder, "stages")

    @invariant()
    def the_cursor_is_never_ahead_of_what_landed(self) -> None:
        last = Landing(self.folder / "landing").last_checkpoint("invented", "deals", CONNECTION)
        if last is None or last.cursor is None:
            return
        ((newest,),) = query(
            self.folder, "deals", "select max(epoch(source_updated_at))::bigint from v"
        )
        assert int(T0.timestamp()) + int(last.cursor["tick"]) <= newest

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


@pytest.mark.slow
def test_landing_follows_a_vendor_through_faults() -> None:
    """Jepsen in small: the orders of events that nobody thought of."""
    machine = SyncModel.TestCase
    machine.settings = settings(max_examples=5, stateful_step_count=10, derandomize=True)
    machine().runTest()
