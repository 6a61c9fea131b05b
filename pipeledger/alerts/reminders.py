"""Reminders as iCalendar files (RFC 5545): an id per deal and rule that never changes.

The same deal flagged by the same rule is the same entry in a calendar, moved and not doubled:
``SEQUENCE`` is the number of the day on which it was sent, so it needs no memory and only grows.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, vCalAddress

from pipeledger.alerts.digests import Reminder
from pipeledger.alerts.wording import plain

_IDS = uuid.uuid5(uuid.NAMESPACE_DNS, "reminders.pipeledger")
_FIRST = date(2020, 1, 1)
_LENGTH = timedelta(minutes=15)


def uid_of(deal_key: str, check_id: str) -> str:
    """The id of the entry for a deal and the rule that flags it."""
    return f"{uuid.uuid5(_IDS, deal_key + ' ' + check_id)}@pipeledger"


class Calendars:
    """Calendar files of one run: when a reminder rings, in which zone, in whose name."""

    def __init__(self, zone: ZoneInfo, at: time, sender: str, today: date, stamp: datetime) -> None:
        self._zone = zone
        self._at = at
        self._sender = sender
        self._sequence = (today - _FIRST).days
        self._stamp = stamp.astimezone(UTC)

    def publish(self, reminders: Sequence[Reminder]) -> bytes:
        """Entries to put into a calendar; one that is there under its id is moved."""
        events = []
        for one in reminders:
            event = self._event(uid_of(one.deal_key, one.check_id), one.day)
            event.add("summary", plain(one.title))
            event.add("description", "\n".join(map(plain, one.text.splitlines())))
            event.add("status", "CONFIRMED")
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", plain(one.title))
            alarm.add("trigger", timedelta(0))
            event.add_component(alarm)
            events.append(event)
        return self._calendar("PUBLISH", events)

    def withdraw(self, days: Mapping[str, str]) -> bytes:
        """Entries to take out again, by id, with the day on which they stood."""
        events = []
        for uid, day in sorted(days.items()):
            event = self._event(uid, date.fromisoformat(day))
            event.add("summary", "No longer due")
            event.add("status", "CANCELLED")
            events.append(event)
        return self._calendar("CANCEL", events)

    def _event(self, uid: str, day: date) -> Event:
        start = datetime.combine(day, self._at, self._zone)
        event = Event()
        event.add("uid", uid)
        event.add("sequence", self._sequence)
        event.add("dtstamp", self._stamp)
        event.add("dtstart", start)
        event.add("dtend", start + _LENGTH)
        # Nobody is busy because of a reminder.
        event.add("transp", "TRANSPARENT")
        event.add("organizer", vCalAddress(f"mailto:{self._sender}"))
        return event

    def _calendar(self, method: str, events: Sequence[Event]) -> bytes:
        calendar = Calendar()
        calendar.add("prodid", "-//pipeledger//reminders//EN")
        calendar.add("version", "2.0")
        calendar.add("method", method)
        for event in events:
            calendar.add_component(event)
        calendar.add_missing_timezones()
        content: bytes = calendar.to_ical()
        return content
