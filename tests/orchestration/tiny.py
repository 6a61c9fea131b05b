"""A company of two files and three deals, for what is asked of runs and not of numbers."""

from pathlib import Path

SETTINGS = """
clock = "2026-10-15T06:00:00Z"

[company]
name = "Tiny"
reporting_currency = "EUR"
time_zone = "Europe/Berlin"

[schedule]
cron = "10 * * * *"
time_zone = "Europe/Berlin"

[schedule.sources.files]
cron = "*/15 7-19 * * 1-5"
time_zone = "America/New_York"
stale_after_hours = 5

[retention.imap]
messages = "24 months"

[sources.files.books]
folder = "inbox"
settle_seconds = 0

[sources.files.books.tables.deals]
path = "deals.csv"
columns.deal_id = "id"
columns.name = "name"
columns.amount = "amount"
columns.currency_code = "currency"
columns.stage_id = "stage"
columns.created_at = "created"
columns.updated_at = "updated"

[sources.fx.ecb]
offline = true
"""
DEALS = """id,name,amount,currency,stage,created,updated
1,Anvil,100.10,EUR,open,2026-08-01T10:00:00Z,2026-08-31T21:59:59Z
2,Bolt,200.20,EUR,open,2026-08-02T10:00:00Z,2026-09-10T10:00:00Z
3,Cog,300.30,EUR,open,2026-08-03T10:00:00Z,2026-10-02T10:00:00Z
"""


def place(folder: Path) -> Path:
    """Write the company down; return its settings file."""
    (folder / "inbox").mkdir(parents=True)
    (folder / "inbox" / "deals.csv").write_text(DEALS)
    path = folder / "pipeledger.toml"
    path.write_text(SETTINGS)
    return path
