"""A company with nothing but three CSV exports of an invented CRM, and settings that read them."""

from pathlib import Path

from sandbox.company.files import Export

TODAY, TOMORROW = "2026-10-15T06:00:00Z", "2026-10-16T06:00:00Z"
STAGES = (
    ("Erstkontakt", "open", "0.1"),
    ("Qualifiziert", "open", "0.3"),
    ("Angebot", "open", "0.5"),
    ("Verhandlung", "open", "0.8"),
    ("Gewonnen", "won", "1"),
    ("Verloren", "lost", "0"),
)
SETTINGS = """
[company]
name = "Kontor"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"
own_domains = ["kontor.example"]

[company.fiscal_year]
start_month = 2

[sources.files.kontor]
folder = "inbox"
settle_seconds = 0

[sources.files.kontor.tables.deals]
path = "deals.csv"
encoding = "cp1252"
delimiter = ";"
decimal = ","
thousands = "."
date_formats = ["%d.%m.%Y"]
instant_formats = ["%d.%m.%Y %H:%M"]
time_zone = "Europe/Berlin"
columns.deal_id = "Vorgangsnr"
columns.name = "Bezeichnung"
columns.amount = "Betrag"
columns.currency_code = "Währung"
columns.stage_id = "Phase"
columns.owner_email = "Verantwortlich"
columns.created_at = "Angelegt am"
columns.expected_close_date = "Abschluss geplant"
columns.closed_date = "Abgeschlossen am"
columns.loss_reason = "Verlustgrund"

[sources.files.kontor.tables.users]
path = "owners.csv"
encoding = "cp1252"
delimiter = ";"
columns.user_id = "Kürzel"
columns.name = "Name"
columns.email = "E-Mail"
columns.team = "Team"

[sources.files.kontor.tables.quotas]
path = "quotas.csv"
encoding = "cp1252"
delimiter = ";"
decimal = ","
thousands = "."
columns.scope_type = { constant = "user" }
columns.scope_id = "Person"
columns.period = "Zeitraum"
columns.amount = "Ziel"
columns.currency_code = "Währung"
columns.credit_type = { constant = "revenue" }
columns.measure = { constant = "bookings" }
"""


def place(folder: Path, export: Export, clock: str = TODAY) -> Path:
    """Lay down the exports and the settings; returns the settings file."""
    for name, content in export.files.items():
        path = folder / "inbox" / Path(name).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    stages = "".join(
        f'\n[[stages]]\nconnection = "kontor"\nstage_id = "{name}"\norder = {order}\n'
        f'type = "{kind}"\nprobability = {probability}\n'
        for order, (name, kind, probability) in enumerate(STAGES, start=1)
    )
    path = folder / "pipeledger.toml"
    path.write_text(f'clock = "{clock}"\n{SETTINGS}{stages}', encoding="utf-8")
    return path


def edit(folder: Path, old: str, new: str) -> None:
    """Replace text in the deals' export, as somebody who edits the spreadsheet."""
    path = folder / "inbox" / "deals.csv"
    text = path.read_bytes().decode("cp1252")
    if old not in text:
        raise ValueError(f"{old!r} is not in {path}")
    path.write_bytes(text.replace(old, new, 1).encode("cp1252"))
