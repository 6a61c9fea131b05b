"""What the ECB has fixed: rates by day, each from the moment of its publication."""

import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

FRANKFURT = ZoneInfo("Europe/Berlin")
MEMBER = "eurofxref-hist.csv"
EPOCH_OF_ZIPS = (1980, 1, 1, 0, 0, 0)


@dataclass(slots=True)
class FxState:
    """Rates as published text, by day and currency; ``columns`` is their order in the file."""

    now: datetime = datetime(2026, 10, 15, 6, tzinfo=UTC)
    columns: list[str] = field(default_factory=lambda: ["USD", "JPY", "GBP", "PLN"])
    days: dict[date, dict[str, str]] = field(default_factory=dict)
    changed_at: datetime = datetime(1999, 1, 4, 15, tzinfo=UTC)
    revision: int = 0

    def fixes(self, day: date, **rates: str) -> None:
        """Fix the rates of a day, published at 16:00 in Frankfurt."""
        self.days[day] = dict(rates)
        self.columns += [currency for currency in rates if currency not in self.columns]

    def corrects(self, day: date, **rates: str) -> None:
        """Change what was published, without a word."""
        self.days[day] |= rates
        self.changed_at = self.now
        self.revision += 1

    def advance(self, to: datetime) -> None:
        """Let time pass."""
        self.now = to

    def published(self) -> dict[date, dict[str, str]]:
        """What is out by now, the newest day first."""
        return {day: self.days[day] for day in sorted(self.days, reverse=True)
                if published_at(day) <= self.now}  # fmt: skip

    def modified_at(self) -> datetime:
        """When the file was last written."""
        out = [published_at(day) for day in self.published()]
        return max([self.changed_at, *out]).replace(microsecond=0)

    def table(self) -> bytes:
        """The file: newest day first, N/A where nothing is fixed, a comma at each end."""
        lines = [f"Date,{','.join(self.columns)},"]
        for day, rates in self.published().items():
            cells = [rates.get(currency, "N/A") for currency in self.columns]
            lines.append(f"{day},{','.join(cells)},")
        return ("\n".join(lines) + "\n").encode()

    def archive(self) -> bytes:
        """The file in a zip; the same content is the same bytes."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(MEMBER, EPOCH_OF_ZIPS), self.table(),
                             zipfile.ZIP_DEFLATED)  # fmt: skip
        return packed.getvalue()


def published_at(day: date) -> datetime:
    """When a day's fixing is out."""
    return datetime.combine(day, time(16), tzinfo=FRANKFURT).astimezone(UTC)
