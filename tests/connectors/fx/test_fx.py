"""Exchange rates: every fixing once, asked for when one is due, never a page in its place."""

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from connectors.base.errors import OriginRefused, ProtocolError, VendorError
from connectors.fx import CONNECTOR
from connectors.fx.calendar import easter, is_target_day, latest_fixing
from connectors.fx.settings import FxSettings
from connectors.fx.table import Fixing, fixings, unpacked
from sandbox.exchange import Reply, Request, reply_html
from sandbox.fx import FxServer, FxState
from tests.connectors.fx.shelf import Shelf

USD_14 = "ECB:EUR:USD:2026-10-14"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of October 2026 by the clocks of Frankfurt."""
    return datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


def packed(text: str, *names: str) -> bytes:
    """An archive of files with one content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("eurofxref-hist.csv",):
            archive.writestr(name, text)
    return buffer.getvalue()


# The table.


async def test_every_fixing_lands_once_in_its_own_digits(shelf: Shelf) -> None:
    """0.87310 has five places, and none of them passes through a binary number."""
    await shelf.rates()

    spot = [one for one in shelf.upserts("rates") if one[-1].isdigit()]
    assert 9 == len(spot)
    payload = shelf.versions["rates"]["ECB:EUR:GBP:2026-10-12"][0].payload or b""
    assert b'"rate":0.87310,' in payload
    assert {
        "provider": "ECB", "base": "EUR", "quote": "USD", "date": "2026-10-14", "rate": 1.155,
        "rate_type": "spot", "is_irrevocable": False,
    } == shelf.payload("rates", USD_14)  # fmt: skip


async def test_columns_are_read_by_name_and_what_is_not_fixed_is_no_rate(
    bank: FxState, shelf: Shelf
) -> None:
    """Columns move when currencies come and go; N/A is not zero."""
    bank.columns.reverse()

    await shelf.rates()

    assert 1.155 == shelf.payload("rates", USD_14)["rate"]
    assert "ECB:EUR:PLN:2026-10-14" not in shelf.versions["rates"]


async def test_a_currency_that_became_the_euro_keeps_its_irrevocable_rate(shelf: Shelf) -> None:
    """The lev's column ends in 2025; an old invoice's credit of 2026 still needs its rate."""
    await shelf.rates()

    lev = shelf.payload("rates", "ECB:EUR:BGN:irrevocable")
    assert ("2026-01-01", 1.95583, True) == (lev["date"], lev["rate"], lev["is_irrevocable"])


async def test_only_the_wanted_currencies_and_days_land(shelf: Shelf) -> None:
    """A company of two currencies need not keep thirty."""
    shelf.settings = {"currencies": ["USD"], "since": "2026-10-13"}

    await shelf.rates()

    assert ["ECB:EUR:USD:2026-10-14", "ECB:EUR:USD:2026-10-13"] == shelf.upserts("rates")


async def test_a_cell_that_is_no_rate_is_set_aside_and_the_others_land(
    bank: FxState, shelf: Shelf
) -> None:
    """One spoilt cell does not cost the day."""
    bank.fixes(date(2026, 10, 14), USD="1.1550", JPY="-5", GBP="1e3")

    await shelf.rates()

    assert USD_14 in shelf.upserts("rates")
    assert {"ECB:EUR:JPY:2026-10-14", "ECB:EUR:GBP:2026-10-14"} == {
        one.record_id for one in shelf.rejected
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not the table"),
        ("Date,USD,\n", "no day"),
        ("<html>,USD,\n", "not the table"),
        ("Date,Dollar,\n2026-10-14,1,\n", "not the table"),
        ("Date,USD,USD,\n2026-10-14,1,1,\n", "two columns"),
        ("Date,USD,\n14 October 2026,1,\n", "no day of the table"),
        ("Date,USD,\n2026-10-14,1,\n2026-10-14,2,\n", "twice"),
        ("Date,USD,JPY,\n2026-10-14,1", "ends too early"),
        ('Date,USD,\n2026-10-14,"1', "cannot be read"),
    ],
)
def test_what_is_not_the_table_is_refused(text: str, reason: str) -> None:
    """Half a table must not pass for one of fewer days."""
    with pytest.raises(ProtocolError, match=reason):
        list(fixings(text))


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (packed("x", "a.csv", "b.csv"), "2 files"),
        (packed("x" * 500)[:60], "damaged"),
        (b"PK\x03\x04", "damaged"),
        (packed(""), None),
    ],
    ids=["two files", "cut off", "only a head", "empty"],
)
def test_an_archive_that_is_not_one_file_is_refused(archive: bytes, reason: str | None) -> None:
    """Never read as a short file; an empty one is the table's own fault."""
    if reason is None:
        assert "" == unpacked(archive)
        return
    with pytest.raises(ProtocolError, match=reason):
        unpacked(archive)


def test_an_archive_that_fills_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes can unpack to gigabytes of nothing."""
    monkeypatch.setattr("connectors.fx.table.MAX_UNPACKED", 1_000)

    with pytest.raises(ProtocolError, match="unpacks to more"):
        unpacked(packed("0" * 1_001))


def test_a_real_line_is_read() -> None:
    """The form that the ECB has kept for two decades: a comma at the end of each line."""
    text = "Date,USD,CYP,ISK,\r\n2026-10-30,1.1172,N/A,136,\r\n"

    day = date(2026, 10, 30)
    assert [Fixing(day, "USD", "1.1172"), Fixing(day, "ISK", "136")] == list(fixings(text))


# When it is asked.


async def test_a_new_fixing_is_asked_for_when_it_is_out_and_not_before(
    bank: FxState, server: FxServer, shelf: Shelf
) -> None:
    """An hourly schedule asks the ECB once a day."""
    bank.fixes(date(2026, 10, 15), USD="1.2000")
    await shelf.rates()
    for hour in range(9, 16):
        bank.advance(at(15, hour))
        await shelf.rates()
    assert 1 == server.count("hist")

    bank.advance(at(15, 16, 45))
    second = await shelf.rates()

    assert ["ECB:EUR:USD:2026-10-15"] == second.ids
    assert 2 == server.count("hist")
    bank.advance(at(15, 22))
    await shelf.rates()
    assert 2 == server.count("hist")


async def test_what_has_not_changed_is_not_sent_again(
    bank: FxState, server: FxServer, shelf: Shelf
) -> None:
    """The request says what it knows; a 304 has no body."""
    await shelf.rates()
    bank.advance(at(15, 16, 30))

    second = await shelf.rates()

    assert [] == second.ids
    assert {"if-none-match", "if-modified-since"} <= set(server.requests[-1].headers)
    assert "newest" in shelf.cursors["rates"]


async def test_a_server_without_etags_is_asked_by_the_time(
    bank: FxState, server: FxServer, shelf: Shelf
) -> None:
    """A mirror may know Last-Modified alone."""

    def without(_request: Request, reply: Reply) -> Reply:
        reply.headers = {k: v for k, v in reply.headers.items() if k != "ETag"}
        return reply

    server.fail("hist", without, times=10)
    await shelf.rates()
    bank.advance(at(15, 16, 30))

    second = await shelf.rates()

    assert [] == second.ids
    assert "if-none-match" not in server.requests[-1].headers
    assert len(second.pages) == 1


async def test_a_fixing_that_was_changed_lands_as_a_new_version(
    bank: FxState, shelf: Shelf
) -> None:
    """Without notice: the older one stays, and the check tells."""
    bank.fixes(date(2026, 10, 15), USD="1.2000")
    await shelf.rates()
    bank.corrects(date(2026, 10, 14), USD="1.1555")
    bank.advance(at(15, 17))

    second = await shelf.rates()

    assert sorted(["ECB:EUR:USD:2026-10-15", USD_14]) == sorted(second.ids)
    assert ["upsert", "upsert"] == shelf.changes("rates", USD_14)


async def test_an_old_fixing_that_was_changed_is_found_within_a_week(
    bank: FxState, shelf: Shelf
) -> None:
    """Most days only the last ninety are compared; once a week all are."""
    bank.fixes(date(2020, 1, 2), USD="1.1193")
    await shelf.rates()
    bank.corrects(date(2020, 1, 2), USD="1.1194")
    bank.advance(at(16, 17))
    assert [] == (await shelf.rates()).ids
    bank.corrects(date(2026, 10, 12), USD="1.1535")
    bank.advance(at(23, 17))

    third = await shelf.rates()

    assert {"ECB:EUR:USD:2020-01-02", "ECB:EUR:USD:2026-10-12"} == set(third.ids)


async def test_a_late_fixing_is_told_after_two_hours_on_days_that_have_one(
    bank: FxState, shelf: Shelf
) -> None:
    """Silence on a Sunday is right; on a Thursday evening it is not."""
    await shelf.rates()
    bank.advance(at(15, 17))
    assert [] == (await shelf.rates()).notes
    bank.advance(at(15, 18, 30))
    assert ["the newest fixing is of 2026-10-14; that of 2026-10-15 is not out yet"] == (
        await shelf.rates()
    ).notes
    bank.fixes(date(2026, 10, 15), USD="1.2")
    bank.fixes(date(2026, 10, 16), USD="1.2")
    bank.advance(at(18, 20))
    assert [] == (await shelf.rates()).notes


async def test_other_settings_read_everything_again(
    bank: FxState, server: FxServer, shelf: Shelf
) -> None:
    """A currency that is wanted from today on is wanted with its past."""
    shelf.settings = {"currencies": ["USD"]}
    await shelf.rates()
    shelf.settings = {"currencies": ["USD", "JPY"]}
    bank.advance(at(15, 10))

    second = await shelf.rates()

    assert 3 == sum("JPY" in one for one in second.ids)
    assert "if-none-match" not in server.requests[-1].headers


async def test_a_read_that_breaks_off_counts_for_nothing(
    bank: FxState, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the whole table moves the cursor."""
    monkeypatch.setattr("connectors.fx.reading.PAGE", 2)
    await shelf.rates(stop_after=1)
    assert "rates" not in shelf.cursors

    await shelf.rates()

    assert 9 == sum(one[-1].isdigit() for one in shelf.upserts("rates"))
    assert bank.now == shelf.server.state.now


# What is refused.


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply_html("<html>Maintenance</html>"), "text/html.*where a zip was due"),
        (Reply(200, b""), "where a zip was due"),
        (Reply(200, b"Date,USD,\n", content_type="text/csv"), "text/csv where a zip was due"),
        (Reply(304), "compared nothing"),
    ],
    ids=["a page", "nothing", "a bare file", "a 304 to a first request"],
)
async def test_a_page_in_the_tables_place_is_an_error(
    server: FxServer, shelf: Shelf, answer: Reply, reason: str
) -> None:
    """A proxy or the maintenance page: never read as "no rates"."""
    server.fail("hist", lambda *_: answer, times=10)

    with pytest.raises(ProtocolError, match=reason):
        await shelf.rates()


async def test_a_file_that_is_not_there_is_named(shelf: Shelf) -> None:
    """A mirror at another address."""
    shelf.settings = {"base_url": shelf.server.url + "/elsewhere"}

    with pytest.raises(VendorError, match=r"404 from GET /elsewhere/eurofxref-hist[.]zip"):
        await shelf.rates()


async def test_a_fault_that_passes_is_survived(server: FxServer, shelf: Shelf) -> None:
    """503 during maintenance."""
    fault = server.fail("hist", lambda *_: reply_html("later", 503), times=2)

    assert 0 < len((await shelf.rates()).ids)
    assert 2 == fault.met


async def test_a_redirect_to_another_host_is_not_followed(server: FxServer, shelf: Shelf) -> None:
    """Rates come from where the settings say, or not at all."""
    server.fail("hist", lambda *_: Reply(302, headers={"Location": "https://evil.example/x.zip"}))

    with pytest.raises(OriginRefused):
        await shelf.rates()


# Budget rates.


BUDGET: dict[str, Any] = {
    "budget": [
        {"start": "2025-02-01", "rates": {"USD": "1.08"}},
        {"start": "2026-02-01", "rates": {"USD": "1.10", "JPY": "160"}},
    ]
}


async def test_budget_rates_are_those_of_the_settings(server: FxServer, shelf: Shelf) -> None:
    """No request is made for them, and one that is taken out of the settings is deleted."""
    shelf.settings = BUDGET
    await shelf.rates("budget_rates")
    assert 3 == len(shelf.upserts("budget_rates"))
    assert b'"rate":1.10,"rate_type":"budget"' in (
        shelf.versions["budget_rates"]["ECB:EUR:USD:budget:2026-02-01"][0].payload or b""
    )
    shelf.settings = {"budget": BUDGET["budget"][:1]}

    await shelf.rates("budget_rates")

    assert ["ECB:EUR:USD:budget:2025-02-01"] == shelf.upserts("budget_rates")
    assert ["upsert", "deleted"] == shelf.changes("budget_rates", "ECB:EUR:JPY:budget:2026-02-01")
    assert 0 == server.count("")


@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        ({"USD": 1.1}, "as text"),
        ({"EUR": "1"}, "no currency"),
        ({"usd": "1.1"}, "no currency"),
        ({"USD": "0"}, "no rate"),
        ({"USD": "-1"}, "no rate"),
        ({"USD": "NaN"}, "finite|no rate"),
        ({"USD": "1.123456789"}, "no rate"),
        ({}, "at least 1"),
    ],
)
def test_budget_rates_that_would_mislead_are_refused(rates: dict[str, Any], reason: str) -> None:
    """A number has lost its digits before anybody can look at them."""
    with pytest.raises(ValidationError, match=reason):
        FxSettings.model_validate({"budget": [{"start": "2026-02-01", "rates": rates}]})


def test_two_budgets_of_one_day_are_refused() -> None:
    """Which one holds?"""
    twice = [{"start": "2026-02-01", "rates": {"USD": "1.1"}}] * 2

    with pytest.raises(ValidationError, match="same day"):
        FxSettings.model_validate({"budget": twice})


# Without the network.


async def test_offline_the_packaged_table_lands_and_nobody_is_asked(
    server: FxServer, shelf: Shelf
) -> None:
    """A machine without a network still values its invoices."""
    shelf.settings = {"offline": True, "since": "2024-01-01", "currencies": ["USD", "JPY"]}

    first = await shelf.rates()
    second = await shelf.rates()

    assert 1.0956 == shelf.payload("rates", "ECB:EUR:USD:2024-01-02")["rate"]
    assert 900 < len(first.ids)
    assert [] == second.ids
    assert 0 == server.count("")


async def test_doctor_tells_how_far_the_table_reaches(shelf: Shelf) -> None:
    """And which wanted currency it does not quote."""
    shelf.settings = {"currencies": ["USD", "AED"]}

    async with CONNECTOR.open(shelf.configured(), shelf.resources()) as session:
        report = await CONNECTOR.check(session)

    assert "3 currencies, newest fixing 2026-10-14" in report.account
    assert ("the ECB does not quote AED: give its rates in a file",) == report.notes


# The calendar.


@pytest.mark.parametrize(
    ("year", "sunday"),
    [
        (2024, date(2024, 3, 31)),
        (2025, date(2025, 4, 20)),
        (2026, date(2026, 4, 5)),
        (2027, date(2027, 3, 28)),
        (2038, date(2038, 4, 25)),
        (2285, date(2285, 3, 22)),
    ],
)
def test_easter_is_when_it_is(year: int, sunday: date) -> None:
    """The earliest and the latest possible ones among them."""
    assert sunday == easter(year)


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 10, 14), True),
        (date(2026, 10, 17), False),
        (date(2026, 4, 3), False),
        (date(2026, 4, 6), False),
        (date(2026, 4, 7), True),
        (date(2026, 5, 1), False),
        (date(2026, 12, 25), False),
        (date(2026, 12, 24), True),
        (date(2026, 10, 3), False),
    ],
)
def test_rates_are_fixed_on_target_days(day: date, is_open: bool) -> None:
    """Good Friday and Easter Monday, but no national holiday."""
    assert is_open is is_target_day(day)


def test_the_latest_fixing_follows_frankfurts_clock() -> None:
    """16:00 there is 14:00 UTC in summer and 15:00 in winter."""
    summer, winter = datetime(2026, 7, 1, 14, tzinfo=UTC), datetime(2026, 12, 1, 14, tzinfo=UTC)

    assert date(2026, 7, 1) == latest_fixing(summer)
    assert date(2026, 6, 30) == latest_fixing(summer - timedelta(seconds=1))
    assert date(2026, 11, 30) == latest_fixing(winter)
    assert date(2026, 12, 1) == latest_fixing(winter + timedelta(hours=1))
    assert date(2026, 4, 2) == latest_fixing(datetime(2026, 4, 6, 20, tzinfo=UTC))
