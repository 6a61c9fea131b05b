"""Send what is due, or say what would be sent; one message that fails holds back no other."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.base.errors import ConfigError
from pipeledger.alerts.digests import Digest
from pipeledger.alerts.facts import Facts, read_facts
from pipeledger.alerts.incidents import Incident, incidents
from pipeledger.alerts.mail import DeliveryError, Letter, Mailer
from pipeledger.alerts.plan import Message, Plan, logged_topic, plan
from pipeledger.alerts.reminders import Calendars, uid_of
from pipeledger.alerts.rooms import post
from pipeledger.alerts.sent import Sent, SentLog
from pipeledger.alerts.wording import Wording
from pipeledger.locks import exclusive
from pipeledger.pipeline import clock_of
from pipeledger.serving import held_open, published
from pipeledger.settings import Settings
from pipeledger.status import status


@dataclass(slots=True)
class AlertReport:
    """What a call did: topic and reader of each message, and why others were not sent."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    sent_before: int = 0
    refused: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Run:
    """What all messages of one call share."""

    settings: Settings
    now: datetime
    today: date
    build_id: str
    wording: Wording
    calendars: Calendars


def send_alerts(settings: Settings, also: Sequence[Incident] = ()) -> AlertReport:
    """Send every digest and incident that is due and was not sent before.

    Args:
        settings: the settings.
        also: what the caller knows to be broken beside what ``status`` shows.

    Raises:
        ConfigError: the settings name no way to send anything.
        LockHeldError: another process is sending.
    """
    alerts = settings.alerts
    if alerts.smtp is None and not alerts.webhooks:
        raise ConfigError(
            "there is no way to send alerts: set [alerts.smtp] or [alerts.webhooks.<name>], "
            "or look at them with --dry-run"
        )
    with exclusive(settings.paths.state / "alerts.lock", "the alerts"):
        run, made, log = _prepared(settings, also)
        report = AlertReport(sent_before=made.n_sent_before, refused=made.refused)
        mailer = None if alerts.smtp is None else Mailer(alerts.smtp, settings.company.own_domains)
        try:
            for message in made.messages:
                _deliver(run, message, mailer, log, report)
        finally:
            if mailer is not None:
                mailer.close()
        log.forget_old()
    return report


def show_alerts(settings: Settings, show: Callable[[str], None]) -> AlertReport:
    """Show every message that would be sent; sends and notes nothing."""
    run, made, _ = _prepared(settings)
    for message in made.messages:
        for line in _shown(run, message):
            show(line)
    return AlertReport(sent_before=made.n_sent_before, refused=made.refused)


def _prepared(settings: Settings, also: Sequence[Incident] = ()) -> tuple[_Run, Plan, SentLog]:
    now = clock_of(settings)()
    zone = ZoneInfo(settings.company.time_zone)
    today = now.astimezone(zone).date()
    with held_open(settings):
        facts, broken = _facts(settings), incidents(status(settings))
    log = SentLog(settings.paths.state, today)
    smtp = settings.alerts.smtp
    sender = "pipeledger@localhost" if smtp is None else smtp.sender
    as_of = today if facts is None else facts.as_of_date
    run = _Run(
        settings,
        now,
        today,
        "" if facts is None else facts.build_id,
        Wording(settings.company.name, settings.alerts.locale, as_of, today),
        Calendars(zone, settings.alerts.reminder_time, sender, today, now),
    )
    return run, plan(settings, facts, [*broken, *also], log, today), log


def _facts(settings: Settings) -> Facts | None:
    """None before the first publication: what broke is told even then."""
    return None if published(settings) is None else read_facts(settings)


def _deliver(
    run: _Run, message: Message, mailer: Mailer | None, log: SentLog, report: AlertReport
) -> None:
    digest = message.digest
    message_id = _message_id(run, message)
    try:
        if message.room is not None:
            hook = run.settings.alerts.webhooks[message.room]
            title = run.wording.subject(digest)
            post(message.room, hook, title, run.wording.room(digest), message_id)
        elif mailer is None:
            report.refused.append(f"{digest.topic} digest: {digest.to}: no [alerts.smtp]")
            return
        else:
            mailer.send(_letter(run, message, message_id), run.now)
    except DeliveryError as error:
        report.failed.append(str(error))
        return
    if digest.topic == "data":
        log.note_incidents(message.place, message.titles)
    else:
        standing = {uid_of(r.deal_key, r.check_id): r.day.isoformat() for r in digest.reminders}
        topic = logged_topic(message)
        log.note(Sent(topic, message.place, message_id, run.build_id, standing))
    report.sent.append((digest.topic, message.place))


def _letter(run: _Run, message: Message, message_id: str) -> Letter:
    digest = message.digest
    return Letter(
        digest.to,
        message_id,
        run.wording.subject(digest),
        run.wording.text(digest),
        run.wording.html(digest),
        _attached(run, digest, message.withdrawn),
    )


def _attached(run: _Run, digest: Digest, withdrawn: dict[str, str]) -> list[tuple[str, str, bytes]]:
    files = []
    if digest.reminders:
        content = run.calendars.publish(digest.reminders)
        files.append(("reminders.ics", "PUBLISH", content))
    if withdrawn:
        files.append(("withdrawn.ics", "CANCEL", run.calendars.withdraw(withdrawn)))
    return files


def _message_id(run: _Run, message: Message) -> str:
    """The same for the same digest of the same day, however often it is sent.

    Of incidents: the same until something else breaks or is mended.
    """
    parts = [logged_topic(message), message.place, run.today.isoformat(), *sorted(message.titles)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    smtp = run.settings.alerts.smtp
    domain = "pipeledger.invalid" if smtp is None else smtp.sender.rpartition("@")[2]
    return f"<{digest}@{domain}>"


def _shown(run: _Run, message: Message) -> list[str]:
    digest = message.digest
    is_room = message.room is not None
    text = run.wording.room(digest) if is_room else run.wording.text(digest)
    return [
        f"=== {digest.topic} -> {message.place}",
        f"Subject: {run.wording.subject(digest)}",
        f"Message-ID: {_message_id(run, message)}",
        *(
            f"Attached: {name}"
            for name, _, _ in ([] if is_room else _attached(run, digest, message.withdrawn))
        ),
        "",
        text,
    ]
