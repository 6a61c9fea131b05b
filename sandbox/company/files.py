"""The spreadsheets: roster, quotas, forecasts and exchange rates, and a CRM's export.

The headers of the first four, and of the ERP's exports beside them (``files_goods``), are the
canonical column names of the files connector. The
``export/`` trio is another, small company whose only source it is: an invented CRM's
German export with ``;``, decimal commas and cp1252.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from sandbox.company.clock import TODAY, business_date, quarter, quarter_bounds
from sandbox.company.files_goods import render_goods
from sandbox.company.model import World
from sandbox.company.people import PARENT_TEAM, ROSTER
from sandbox.company.plan import (
    MEASURE,
    Quota,
    Submission,
    make_quotas,
    make_submissions,
    periods,
    submitted,
)
from sandbox.company.tables import Rows, table


def users(world: World) -> bytes:
    """The roster: a row per person and version; ``valid_to`` is the first day outside."""
    today = business_date(world.today)
    rows = [
        [
            rep.email,
            rep.email,
            rep.name,
            row.team,
            PARENT_TEAM[row.team] or "",
            row.manager or "",
            row.role,
            rep.hired_on.isoformat(),
            str(rep.row(today) is not None).lower(),
            str(row.quota_carrying).lower(),
            row.valid_from.isoformat(),
            row.valid_to.isoformat() if row.valid_to else "",
        ]
        for rep in ROSTER
        for row in rep.rows
    ]
    header = (
        "user_id email name team parent_team manager_email role hired_on is_active "
        "quota_carrying valid_from valid_to"
    )
    return table(header, rows)


def quotas(rows: list[Quota]) -> bytes:
    """Quotas of fiscal quarters; a later ``valid_from`` replaces from that day on."""
    header = (
        "scope_type scope_id period_type period measure amount currency_code credit_type valid_from"
    )
    return table(
        header,
        [
            [
                row.scope_type,
                row.scope_id,
                "quarter",
                row.period,
                MEASURE,
                str(row.amount),
                row.currency,
                "revenue",
                row.valid_from.isoformat(),
            ]
            for row in rows
        ],
    )


def submissions(rows: list[Submission]) -> bytes:
    """Forecast submissions, one row per hand-in."""
    header = (
        "submitter scope_type scope_id period category amount currency_code submitted_at level note"
    )
    return table(
        header,
        [
            [
                row.submitter,
                "team",
                row.team,
                row.period,
                row.category,
                str(row.amount),
                "JPY" if row.team == "japan" else "EUR",
                submitted(row),
                row.level,
                "NOTE-TO-SELF" if row.category == "commit" else "",
            ]
            for row in rows
        ],
    )


def fx_rates(world: World) -> bytes:
    """Spot rates of business days, and a budget rate at each quarter's first day.

    The budget rate equals the last fixing known on that day, so that every sensible
    reading of "constant rate of the period" gives the same euro.
    """
    rows = [
        [day.isoformat(), currency, "spot", str(rate), "ECB"]
        for currency, series in world.rates.daily.items()
        for day, rate in series.items()
    ]
    for period in periods(world.today):
        first, _ = quarter_bounds(period)
        if first <= business_date(world.today):
            for currency in world.rates.daily:
                rate = world.rates.on(currency, first)
                rows.append([first.isoformat(), currency, "budget", str(rate), "plan"])
    return table("rate_date currency_code rate_type rate_to_rc source", rows)


@dataclass(slots=True)
class Export:
    """The small company's files and what is true of it (euro only)."""

    files: dict[str, bytes]
    open_count: int = 0
    open_amount: Decimal = Decimal(0)
    won: dict[str, Decimal] = field(default_factory=dict)
    lost_count: dict[str, int] = field(default_factory=dict)
    won_count: dict[str, int] = field(default_factory=dict)
    quota: dict[str, Decimal] = field(default_factory=dict)
    """Won and quota by fiscal quarter."""
    won_by_owner: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """By fiscal quarter and e-mail."""


PHASES = ("Erstkontakt", "Qualifiziert", "Angebot", "Verhandlung")
SELLERS = (
    ("KB", "Käthe Brandt", "k.brandt@kontor.example", "Nord"),
    ("JM", "Jörg Möller", "j.moeller@kontor.example", "Nord"),
    ("SL", "Sören Lenz", "s.lenz@kontor.example", "Süd"),
)


def german(amount: Decimal) -> str:
    """12345.60 as 12.345,60."""
    return f"{amount:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def crm_export(world: World) -> Export:
    """About 150 deals, three owners and their quotas, as an invented CRM exports them."""
    rng = random.Random(f"{world.seed}:export")
    today = business_date(TODAY)
    found = Export({})
    rows: Rows = []
    for number in range(1, max(40, round(150 * world.scale)) + 1):
        created = today - timedelta(days=rng.randint(3, 700))
        planned = created + timedelta(days=rng.randint(20, 160))
        amount = Decimal(rng.randint(90_000, 4_500_000)).scaleb(-2)
        seller = rng.choice(SELLERS)
        draw = rng.random()
        closed: date | None = None
        if planned < today and draw < 0.9:
            closed = min(planned + timedelta(days=rng.randint(-15, 15)), today - timedelta(days=1))
        phase, reason = rng.choice(PHASES), ""
        if closed:
            phase = "Gewonnen" if draw < 0.4 else "Verloren"
            reason = "Preis" if phase == "Verloren" else ""
            key = quarter(closed)
            if phase == "Gewonnen":
                found.won[key] = found.won.get(key, Decimal(0)) + amount
                found.won_count[key] = found.won_count.get(key, 0) + 1
                pair = (key, seller[2])
                found.won_by_owner[pair] = found.won_by_owner.get(pair, Decimal(0)) + amount
            else:
                found.lost_count[key] = found.lost_count.get(key, 0) + 1
        else:
            found.open_count += 1
            found.open_amount += amount
        rows.append(
            [
                f"V-{number:05d}",
                f"Auftrag {number} für Größe {number % 7}",
                german(amount),
                "EUR",
                phase,
                seller[2],
                created.strftime("%d.%m.%Y 09:30"),
                planned.strftime("%d.%m.%Y"),
                closed.strftime("%d.%m.%Y") if closed else "",
                reason,
            ]
        )
    quota_rows: Rows = []
    for period in quarters_of(today):
        for seller in SELLERS:
            amount = Decimal(rng.randint(80, 140) * 1_000)
            found.quota[period] = found.quota.get(period, Decimal(0)) + amount
            quota_rows.append([seller[2], period, german(amount), "EUR"])
    form = {"encoding": "cp1252", "delimiter": ";"}
    found.files = {
        "export/deals.csv": table(
            [
                *("Vorgangsnr", "Bezeichnung", "Betrag", "Währung", "Phase", "Verantwortlich"),
                *("Angelegt am", "Abschluss geplant", "Abgeschlossen am", "Verlustgrund"),
            ],
            rows,
            **form,
        ),
        "export/owners.csv": table(
            "Kürzel Name E-Mail Team", [list(seller) for seller in SELLERS], **form
        ),
        "export/quotas.csv": table("Person Zeitraum Ziel Währung", quota_rows, **form),
    }
    return found


def quarters_of(today: date) -> list[str]:
    """The current fiscal quarter and the three before it."""
    keys = [quarter(today)]
    while len(keys) < 4:
        keys.insert(0, quarter(quarter_bounds(keys[0])[0] - timedelta(days=1)))
    return keys


def render(world: World) -> dict[str, bytes]:
    """All files by name."""
    return {
        "users.csv": users(world),
        "quotas.csv": quotas(make_quotas(world)),
        "forecast_submissions.csv": submissions(make_submissions(world)),
        "fx_rates.csv": fx_rates(world),
        **render_goods(world),
        **crm_export(world).files,
    }
