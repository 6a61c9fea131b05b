"""The records of an Odoo, and the ORM's search as far as a reader meets it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sandbox.odoo.schema import HELPDESK, LOG, SCHEMA

DATABASE = "production"
LOGIN = "pipeledger@example.com"
API_KEY = "dead-odoo-key-of-the-sandbox"
UID = 2
Row: TypeAlias = dict[str, Any]
"""Values as the ORM holds them; a dotted name is what a search may follow."""

THINNED = frozenset({"mail.message", "mail.activity"})
"""Models whose search drops what a user may not see after the limit has counted."""
LINKS = {("account.payment", "move_id"): "account.move"}
"""Where a search may follow a link to a table that is held here."""


class RefusalError(Exception):
    """An exception of the server: its Python name and its words."""

    def __init__(self, name: str, message: str, status: int) -> None:
        super().__init__(message)
        self.name = name
        self.status = status


@dataclass
class OdooState:
    """One database at an instant; ``advance`` moves its clock."""

    now: datetime = datetime(2026, 10, 15, 6, 0, 0, 123456, tzinfo=UTC)
    schema: dict[str, dict[str, str]] = field(
        default_factory=lambda: {model: {**LOG, **own} for model, own in SCHEMA.items()}
    )
    tables: dict[str, dict[int, Row]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Models that this user may not read."""
    closed: set[tuple[str, int]] = field(default_factory=set)
    """Records that a record rule hides."""
    api_key: str = API_KEY

    def __post_init__(self) -> None:
        self.tables = {model: {} for model in self.schema}
        self.add("res.currency", name="EUR", active=True)
        self.add("res.company", name="Home", currency_id=1, service_api_key="never")
        self.add("res.company", name="Branch", currency_id=1)
        self.add("crm.stage", name="New", sequence=1, is_won=False)
        self.add("crm.stage", name="Won", sequence=9, is_won=True)
        for number, login in enumerate(("__system__", LOGIN), start=1):
            secrets = dict.fromkeys(("password", "totp_secret"), "never")
            person = {"login": login, "name": login, "email": login, "active": number > 1}
            place = {"share": False, "company_id": 1, "company_ids": [1, 2]}
            self.add("res.users", values={**person, **place, **secrets})

    def load(self, tables: Mapping[str, Mapping[int, Row]]) -> None:
        """Take over a company's records (`sandbox.company.odoo`)."""
        for model, rows in tables.items():
            self.tables[model].update(rows)

    def install_helpdesk(self) -> None:
        """Add the app of tickets, which is Enterprise's."""
        self.schema["helpdesk.ticket"] = {**LOG, **HELPDESK}
        self.tables["helpdesk.ticket"] = {}

    def advance(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)

    def add(
        self, model: str, *, at: datetime | None = None, values: Row | None = None, **more: Any
    ) -> int:
        """A new record; ``at`` is its transaction's start."""
        table = self.tables[model]
        number = max(table, default=0) + 1
        stamp = at or self.now
        defaults = {"active": True} if "active" in self.schema[model] else {}
        stamps = {"id": number, "create_date": stamp, "write_date": stamp}
        table[number] = {**stamps, **defaults, **(values or {}), **more}
        return number

    def write(self, model: str, number: int, *, at: datetime | None = None, **values: Any) -> None:
        """Edit a record; its clock moves also where nothing changes."""
        self.tables[model][number].update(values, write_date=at or self.now)

    def unlink(self, model: str, number: int) -> None:
        """Delete without a trace."""
        del self.tables[model][number]

    def ids(self, model: str) -> list[int]:
        """Every id there is."""
        return sorted(self.tables[model])

    # The ORM.

    def fields_get(self, model: str) -> dict[str, Any]:
        """Descriptions by field."""
        described: dict[str, Any] = {}
        for name, kind in self.known(model).items():
            is_computed = kind == "computed"
            described[name] = {
                "type": "char" if is_computed else kind,
                "string": name,
                "store": not is_computed,
            }
        return described

    def known(self, model: str) -> dict[str, str]:
        """A model's fields; refuses a model that is not installed, as 17 does."""
        if model not in self.schema:
            raise RefusalError(
                "odoo.exceptions.UserError", f"Object {model} doesn't exist", status=404
            )
        return self.schema[model]

    def search(
        self, model: str, domain: Sequence[Any], context: Mapping[str, Any], limit: int | None,
        order: str | None,
    ) -> list[int]:  # fmt: skip
        """Ids that meet a domain; the default order is newest first."""
        self.known(model)
        if model in self.refused:
            raise RefusalError(
                "odoo.exceptions.AccessError",
                f"You are not allowed to access '{model}' records.",
                status=403,
            )
        companies = self._companies(context)
        self._know(model, domain)
        found = [
            number
            for number, row in self.tables[model].items()
            if (model in THINNED or (model, number) not in self.closed)
            and (context.get("active_test") is False or row.get("active", True))
            and (not companies or not row.get("company_id") or row["company_id"] in companies)
            and _meets(self._followed(model, row), domain)
        ]
        found.sort(reverse=order != "id asc")
        return [number for number in found[:limit] if (model, number) not in self.closed]

    def _companies(self, context: Mapping[str, Any]) -> Sequence[int]:
        """The companies that a call may see: the first of ours, where it names none."""
        mine = self.tables["res.users"][UID]
        wanted = context.get("allowed_company_ids") or [mine["company_id"]]
        if not set(wanted) <= set(mine["company_ids"]):
            raise RefusalError(
                "odoo.exceptions.AccessError", "Access to unauthorized or invalid companies.", 403
            )
        return list(wanted)

    def _know(self, model: str, domain: Sequence[Any]) -> None:
        for leaf in domain:
            if isinstance(leaf, str):
                continue
            head = leaf[0].partition(".")[0]
            if head not in self.known(model):
                raise RefusalError(
                    "builtins.ValueError", f"Invalid field {model}.{head} in leaf {leaf}", 500
                )

    def _followed(self, model: str, row: Row) -> Row:
        """A row with the clock of the record behind its link."""
        more: Row = {}
        for (where, link), target in LINKS.items():
            if where == model:
                behind = self.tables[target].get(row.get(link) or 0, {})
                more[f"{link}.write_date"] = behind.get("write_date")
        return {**row, **more}

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str], load: Any) -> list[Row]:
        """Records by id; what is gone is left out, what is closed refuses all."""
        known = self.known(model)
        for name in fields:
            if name not in known:
                raise RefusalError(
                    "builtins.ValueError", f"Invalid field '{name}' on model '{model}'", status=500
                )
        if any((model, one) in self.closed for one in ids):
            raise RefusalError(
                "odoo.exceptions.AccessError", "This restriction is due to a record rule.", 403
            )
        rows = [self.tables[model][one] for one in ids if one in self.tables[model]]
        return [
            {"id": row["id"], **{name: _shown(row, name, known[name], load) for name in fields}}
            for row in rows
        ]


def _shown(row: Row, name: str, kind: str, load: Any) -> Any:
    value = row.get(name)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if kind == "many2one" and value and load == "_classic_read":
        return [value, f"record {value}"]
    if value is None:
        return {"integer": 0, "float": 0.0, "monetary": 0.0, "many2many": []}.get(kind, False)
    return value


def _meets(row: Row, domain: Sequence[Any]) -> bool:
    """Polish notation, as far as it is used: leaves joined by AND, and prefixed ``|``."""
    rest = list(domain)

    def term() -> bool:
        one = rest.pop(0)
        if one == "|":
            left, right = term(), term()
            return left or right
        return _leaf(row, *one)

    held = True
    while rest:
        held = term() and held
    return held


def _leaf(row: Row, name: str, operator: str, value: Any) -> bool:
    own = row.get(name)
    if isinstance(own, datetime):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    if operator == "=":
        return bool(own == value) or (value is False and not own)
    if operator == "in":
        return own in value
    if own is None:
        return False
    return bool(
        own > value if operator == ">" else own >= value if operator == ">=" else own < value
    )
