"""Alerts reach those who can act, once, and nobody outside the company."""

import email
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from connectors.base.errors import ConfigError
from pipeledger.alerts import send
from pipeledger.alerts.days import WorkingDays
from pipeledger.alerts.incidents import incident_digest, incidents
from pipeledger.alerts.mail import DeliveryError, Letter, Mailer
from pipeledger.alerts.send import send_alerts
from pipeledger.alerts.sent import SentLog
from pipeledger.cli import app
from pipeledger.settings import load_settings
from tests.alerts.publication import DEALS, Inbox, mail_server, publish, settings_of

BROKEN = {
    "streams": [
        {"source": "hubspot", "connection": "crm", "state": state, "is_stale": stale, "error": err}
        for state, stale, err in (("failed", True, "HTTP 503"), ("failed", False, None))
    ],
    "last_build": {
        "state": "checks_failed",
        "build": {"failures": [{"name": "q_07", "severity": "error", "rows": 2}]},
    },
}
NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)
SOUND: dict[str, Any] = {"streams": [], "last_build": None}


@dataclass
class Post:
    """A company with a publication, and the mail server that its alerts go through."""

    folder: Path
    port: int
    inbox: Inbox

    def send(self, extra: str = "", day: str = "2026-10-15") -> send.AlertReport:
        """Send what is due."""
        return send_alerts(settings_of(self.folder, self.port, extra, day))

    def letter(self, address: str) -> EmailMessage:
        """The newest letter of a reader."""
        return email.message_from_bytes(self.inbox.to(address)[-1], policy=default)

    def calendar(self, address: str, name: str = "reminders.ics") -> Any:
        """A calendar file of the newest letter."""
        (part,) = [p for p in self.letter(address).iter_attachments() if p.get_filename() == name]
        return Calendar.from_ical(part.get_content())


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setattr(send, "status", lambda _settings: SOUND)
    publish(tmp_path, DEALS)
    with mail_server() as (port, inbox):
        yield Post(tmp_path, port, inbox)


def text_of(letter: EmailMessage, kind: str = "plain") -> str:
    """The text or the HTML of a letter."""
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_an_owner_gets_one_digest_with_what_to_do(post: Post) -> None:
    """Which deals, why, since when, what is at stake, what next; nothing that is not due."""
    report = post.send()

    assert ("owner", "ana@example.com") in report.sent
    (_,) = post.inbox.to("ana@example.com")
    text = text_of(post.letter("ana@example.com"))
    for part in (
        *("2 deals to act on", "EUR 99,999.93", "EUR 1,234.50", "Why: ghosted: 3 messages"),
        *("Also: no next step", "Since: 3 Oct 2026", "Next step: Call", "By: 16 Oct 2026"),
    ):
        assert part in text
    assert "crm:3" not in text
    assert text.index("crm:2") < text.index("crm:1")


def test_managers_and_finance_get_theirs(post: Post) -> None:
    """Gap, movement and what was pushed out; won and not billed, billed and not won."""
    post.send()

    manager = text_of(post.letter("max@example.com"))
    for part in (
        *("bookings - EUR 40,000.00", "Attainment: 60%", "Movement of dach"),
        *("end (bookings) - EUR 100.00", "Pushed out of the quarter: EUR 200.00"),
        *("Slip: late in the quarter", "Deals whose owner gets no mail: EUR 7.00"),
    ):
        assert part in manager
    finance = text_of(post.letter("cfo@example.com"))
    assert "Won, not billed: EUR 900.00" in finance
    assert "Billed, not won: EUR 70.50" in finance
    assert "fully" not in finance


def test_nothing_goes_to_an_address_outside(post: Post) -> None:
    """An owner with a customer's address is refused by the plan, by the gate and by settings."""
    report = post.send()

    readers = {reader for _, to, _ in post.inbox.letters for reader in to}
    assert {"ana@example.com", "max@example.com", "cfo@example.com"} == readers
    assert [text for text in report.refused if "bo@customer.example is outside" in text]
    assert [text for text in report.refused if "was erased" in text]
    smtp = settings_of(post.folder, post.port).alerts.smtp
    assert smtp is not None
    for address in (
        *("bo@customer.example", "ana@mail.example.com", "ana@example.com.evil.example"),
        *("ana@example.com, x@evil.example", "ana@example.com\nBcc: x@evil.example", "", "@"),
        "x@evil.example@example.com",
    ):
        with pytest.raises(DeliveryError):
            Mailer(smtp, ["example.com"]).send(Letter(address, "<a@b>", "s", "t", "h"), NOW)
    path = post.folder / "pipeledger.toml"
    path.write_text(path.read_text().replace("cfo@", "cfo@customer."))
    with pytest.raises(ConfigError, match=r"outside company\.own_domains"):
        load_settings(path, {})


def test_hostile_names_are_text_and_nothing_else(post: Post) -> None:
    """A stranger names deals: no script, no header, no turned-round text, no calendar line."""
    post.send()

    letter = post.letter("ana@example.com")
    html = text_of(letter, "html")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "href" not in html
    assert letter["Bcc"] is None
    text = text_of(letter)
    assert "\u202e" not in text
    assert "evil.example> Bcc" not in text
    assert "[click](http://evil.example) <!channel> Bcc: x@evil.example crm:1" in text
    (event, _) = post.calendar("ana@example.com").walk("VEVENT")
    assert "\n" not in event["summary"]


def test_a_second_call_sends_nothing_and_the_next_day_does(post: Post) -> None:
    """Hourly runs must not be hourly mail."""
    first = post.send()
    again = post.send()
    tomorrow = post.send(day="2026-10-16")

    assert 3 == len(first.sent)
    assert ([], 3) == (again.sent, again.sent_before)
    assert 3 == len(tomorrow.sent)
    assert 2 == len(post.inbox.to("ana@example.com"))


def test_a_crash_before_the_log_sends_the_same_message_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather twice than never; under one Message-ID, so that mail programs show it once."""

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(SentLog, "note", die)
        with pytest.raises(KeyboardInterrupt):
            post.send()
    post.send()

    ids = {email.message_from_bytes(one)["Message-ID"] for one in post.inbox.to("ana@example.com")}
    assert (2, 1) == (len(post.inbox.to("ana@example.com")), len(ids))


def test_a_line_that_a_crash_cut_short_harms_no_other(post: Post) -> None:
    """Its own message goes out again, the others do not."""
    post.send()
    (path,) = (post.folder / "data/state/alerts").glob("*.jsonl")
    path.write_text(path.read_text()[:-20])

    report = post.send()

    assert 1 == len(report.sent)
    assert 3 == post.send().sent_before


def test_a_refused_reader_holds_back_no_other_and_is_tried_again(post: Post) -> None:
    """The channel is down for one: the rest arrives, and his digest comes later, once."""
    post.inbox.refuses = {"ana@example.com"}
    report = post.send()
    post.inbox.refuses = set()
    later = post.send()

    assert ["manager", "finance"] == [topic for topic, _ in report.sent]
    assert "no such mailbox" in report.failed[0]
    assert [("owner", "ana@example.com")] == later.sent


def test_a_reminder_keeps_its_id_and_moves(post: Post) -> None:
    """The same deal and rule is one entry in a calendar; on a day when its owner works."""
    post.send()
    first = {e["uid"]: e for e in post.calendar("ana@example.com").walk("VEVENT")}
    post.send(day="2026-10-16")
    second = {e["uid"]: e for e in post.calendar("ana@example.com").walk("VEVENT")}

    assert first.keys() == second.keys()
    assert 2 == len(first)
    for uid, event in first.items():
        assert second[uid]["sequence"] > event["sequence"]
    # The 17th is a Saturday.
    days = sorted(event.start.isoformat() for event in first.values())
    assert ["2026-10-16T09:00:00+02:00", "2026-10-19T09:00:00+02:00"] == days
    calendar = post.calendar("ana@example.com")
    assert "PUBLISH" == calendar["method"]
    assert ["Europe/Berlin"] == [str(zone["tzid"]) for zone in calendar.walk("VTIMEZONE")]


def test_a_reminder_is_withdrawn_when_its_deal_is_snoozed(post: Post) -> None:
    """What nobody has to do any more must not ring, even if nothing else is due."""
    post.send()
    uids = {str(e["uid"]) for e in post.calendar("ana@example.com").walk("VEVENT")}
    publish(post.folder, [(key, who, amount, day, False) for key, who, amount, day, _ in DEALS])
    post.send(day="2026-10-16")

    withdrawn = post.calendar("ana@example.com", "withdrawn.ics")
    assert "CANCEL" == withdrawn["method"]
    assert uids == {str(event["uid"]) for event in withdrawn.walk("VEVENT")}
    assert {"CANCELLED"} == {str(event["status"]) for event in withdrawn.walk("VEVENT")}
    assert [] == [topic for topic, _ in post.send(day="2026-10-19").sent if topic == "owner"]


def test_nobody_is_written_to_on_a_holiday_of_their_country(post: Post) -> None:
    """All Saints' Day of 2027 is a Monday: a holiday in France and no holiday in Germany."""
    report = post.send('country = "DE"\ncountries = { "ana@example.com" = "FR" }', day="2027-11-01")

    assert {"max@example.com", "cfo@example.com"} == {to for _, to in report.sent}
    assert [] == post.send(day="2026-10-18").sent


def test_weekends_and_company_days_are_no_working_days() -> None:
    """Fridays in some countries; a company's own day everywhere."""
    days = WorkingDays("DE", {"gulf": "KW"}, frozenset({date(2026, 10, 15)}))

    assert not days.is_working(date(2026, 10, 15))
    assert days.is_working(date(2026, 10, 16))
    assert not days.is_working(date(2026, 10, 16), team="Gulf")
    assert date(2026, 10, 18) == days.next_working(date(2026, 10, 16), team="gulf")


def test_an_incident_is_told_once_and_once_when_it_is_mended(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source down for a day is one alert and not 24; a Sunday does not wait for Monday."""
    monkeypatch.setattr(send, "status", lambda _settings: BROKEN)
    for _ in range(3):
        post.send(day="2026-10-18")
    broken = text_of(post.letter("data@example.com"))
    monkeypatch.setattr(send, "status", lambda _settings: SOUND)
    for _ in range(2):
        post.send(day="2026-10-18")

    assert 2 == len(post.inbox.to("data@example.com"))
    assert "Source crm" in broken
    assert "2 of 2 streams failed, 1 stale. HTTP 503" in broken
    assert "Check q_07" in broken
    mended = text_of(post.letter("data@example.com"))
    assert mended.index("Mended") < mended.index("Source crm")


def test_a_build_that_breaks_off_mends_no_check() -> None:
    """It says nothing of the checks that it did not reach."""
    found = incidents({"streams": [], "last_build": {"state": "failed", "error": "dbt"}})

    digest = incident_digest(found, {"check:q_07": "Check q_07"}, "data@example.com")

    assert digest is not None
    assert ["Broken"] == [section.heading for section in digest.sections]


def test_a_failed_check_names_the_keys_of_its_records_and_nothing_else_of_them() -> None:
    """A key leads to the record in its own system; values and addresses are nobody's mail."""
    records = [f"record_type=deal, record_key=crm:{n}, value=12.50" for n in range(7)]
    records += ["user_key=ana@example.com"]
    build = {"failures": [{"name": "r", "severity": "error", "rows": 8, "records": records}]}

    (one,) = incidents({"streams": [], "last_build": {"state": "checks_failed", "build": build}})

    told = "8 records: crm:0, crm:1, crm:2, crm:3, crm:4, ...; the last good publication stays"
    assert told == one.detail


def test_a_rule_that_breaks_while_another_is_broken_is_told() -> None:
    """One test gathers the records of all rules: its name alone would hide the second rule."""
    records = ["check_id=R-07, record_type=deal, record_key=crm:1", "check_id=S-01, record_key=a.b"]
    failure = {"name": "no_check_fails", "severity": "error", "rows": 60, "records": records}
    build = {"failures": [failure]}

    found = incidents({"streams": [], "last_build": {"state": "checks_failed", "build": build}})
    digest = incident_digest(found, {"check:R-07": "Check R-07"}, "data@example.com")

    assert ["Check R-07", "Check S-01"] == [one.title for one in found]
    assert digest is not None
    assert ["Check S-01"] == [item.title for one in digest.sections for item in one.items]


def test_a_dry_run_prints_and_sends_and_notes_nothing(post: Post) -> None:
    """What would be sent, to whom; and the next call sends it."""
    settings_of(post.folder, post.port)
    before = set(post.folder.rglob("*"))

    shown = CliRunner().invoke(
        app, ["alerts", "--dry-run", "-c", str(post.folder / "pipeledger.toml")]
    )

    assert 0 == shown.exit_code, shown.output
    assert "=== owner -> ana@example.com" in shown.output
    assert "Attached: reminders.ics" in shown.output
    assert [] == post.inbox.letters
    assert before == set(post.folder.rglob("*"))
    assert 3 == len(post.send().sent)


def test_numbers_and_days_are_written_as_the_locale_does(post: Post) -> None:
    """Half of Europe reads 1.234 as a little more than one."""
    post.send('locale = "de_DE"')

    text = text_of(post.letter("ana@example.com"))
    assert "1.234,50" in text
    assert "03.10.2026" in text
