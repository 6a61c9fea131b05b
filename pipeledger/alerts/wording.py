"""Digests in words: plain text, HTML, a short text for rooms; numbers as the locale writes them.

Names come from strangers: control and direction marks go, HTML is escaped, Markdown is disarmed.
"""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from html import escape

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from pipeledger.alerts.digests import Digest, Item, Money, Section, Share, Value

_ROOM_ITEMS = 5
_SPACES = re.compile(r"\s+")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")


def plain(text: str) -> str:
    """One line of visible characters: no control, direction or zero-width marks."""
    shown = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return _SPACES.sub(" ", shown).strip()


class Wording:
    """How one company writes: its name, its locale, and the day that figures are of."""

    def __init__(self, company: str, locale: str, as_of: date, today: date) -> None:
        self._company = plain(company)
        self._locale = locale
        self._as_of = as_of
        self._today = today

    def subject(self, digest: Digest) -> str:
        """The line that a mailbox shows; it holds counts, never a name of a source."""
        return plain(f"{self._company}: {digest.title}, {self._day(self._today)}")

    def text(self, digest: Digest) -> str:
        """The whole digest as plain text."""
        lines = [self._head(digest), ""]
        for section in digest.sections:
            lines += [self._heading(section), ""]
            for item in section.items:
                lines.append(f"* {self._titled(item)}")
                lines += [f"    {label}: {self.value(value)}" for label, value in item.facts]
            lines += self._rest(section)
            lines.append("")
        return "\n".join(lines)

    def html(self, digest: Digest) -> str:
        """The whole digest as HTML that loads nothing from anywhere."""
        parts = [f"<p>{escape(self._head(digest))}</p>"]
        for section in digest.sections:
            parts.append(f"<h3>{escape(self._heading(section))}</h3><ul>")
            for item in section.items:
                facts = "".join(
                    f"<br>{escape(label)}: {escape(self.value(value))}"
                    for label, value in item.facts
                )
                parts.append(f"<li><b>{escape(self._titled(item))}</b>{facts}</li>")
            parts.append("</ul>")
            parts += [f"<p>{escape(line)}</p>" for line in self._rest(section)]
        return f"<!doctype html><html><body>{''.join(parts)}</body></html>"

    def room(self, digest: Digest) -> str:
        """What fits a room: the first items of each section, and how many more there are."""
        lines = [self._head(digest)]
        for section in digest.sections:
            lines += ["", self._heading(section)]
            lines += [f"- {self._line(item)}" for item in section.items[:_ROOM_ITEMS]]
            more = len(section.items) - _ROOM_ITEMS + section.left_out
            lines += [f"- and {more} more"] if more > 0 else []
        return "\n".join(lines)

    def value(self, value: Value) -> str:
        """A value as the locale writes it; money with its currency's digits, exactly rounded."""
        if isinstance(value, Money):
            written = format_currency(
                value.amount, value.currency, format="¤¤ #,##0.00", locale=self._locale
            )
            return plain(written)
        if isinstance(value, Share):
            return plain(format_percent(value.value, locale=self._locale))
        if isinstance(value, date):
            return self._day(value)
        if isinstance(value, int | Decimal):
            return plain(format_decimal(value, locale=self._locale))
        return plain(value)

    def _day(self, day: date) -> str:
        return plain(format_date(day, format="medium", locale=self._locale))

    def _head(self, digest: Digest) -> str:
        old = "" if self._as_of == self._today else f" Figures are of {self._day(self._as_of)}."
        return f"{plain(digest.title)}.{old}"

    def _heading(self, section: Section) -> str:
        total = "" if section.total is None else f": {self.value(section.total)}"
        return plain(f"{section.heading}{total}")

    def _titled(self, item: Item) -> str:
        value = "" if item.value is None else f" - {self.value(item.value)}"
        return f"{plain(item.title)}{value}"

    def _line(self, item: Item) -> str:
        facts = [f"{label.lower()} {self.value(value)}" for label, value in item.facts[:2]]
        return ", ".join([self._titled(item), *facts])

    def _rest(self, section: Section) -> list[str]:
        return [f"and {section.left_out} more"] if section.left_out else []


def disarmed(text: str) -> str:
    """Text for a room that reads Markdown: every sign of it stands for itself."""
    return _MARKDOWN.sub(r"\\\1", text)
