"""[serving]: the marts in PostgreSQL; how it is named and reached by whoever writes or reads."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from pipeledger.settings.section import Section, is_loopback

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


def _safe_way(dsn: SecretStr) -> SecretStr:
    """Refuse what is no connection string, and an unchecked server beyond this machine."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(dsn.get_secret_value())
    except ProgrammingError:  # its text repeats the value
        raise ValueError(
            "is no connection string such as postgresql://publisher:...@db.example.com/sales"
        ) from None
    hosts = str(parts.get("host") or "").split(",")
    is_near = all(not h or h.startswith("/") or is_loopback(h) for h in hosts)
    if not is_near and parts.get("sslmode") not in {"verify-full", "verify-ca"}:
        raise ValueError(
            "the server is not on this machine: add sslmode=verify-full, and "
            "sslrootcert=<file> where its authority is not one that the system knows"
        )
    return dsn


ConnectionString = Annotated[SecretStr, AfterValidator(_safe_way)]
ColumnPattern = Annotated[
    str, StringConstraints(pattern=r"^([a-z_][a-z0-9_]*|\*)\.[a-z_][a-z0-9_]*$")
]


class PostgresServing(Section):
    """[serving.postgres]: the marts in PostgreSQL, too."""

    dsn: ConnectionString
    marts_schema: Identifier = "marts"
    meta_schema: Identifier = "meta"
    reader_role: Identifier = "pipeledger_read"
    restricted_columns: tuple[ColumnPattern, ...] = (
        *("dim_contact.name", "dim_contact.primary_email", "dim_contact.emails"),
        *("fct_lead.name", "fct_lead.email", "mart_contact_engagement.name"),
        "fct_email_body.body_text",
    )
    shared_marts: tuple[Identifier, ...] = (
        *("dim_date", "dim_fiscal_period", "dim_pipeline", "dim_stage", "fct_fx_rate"),
    )
    all_rows: tuple[Identifier, ...] = ()
    teams: dict[str, tuple[Identifier, ...]] = Field(default_factory=dict)
    lock_timeout_seconds: int = Field(default=30, ge=1)

    def is_restricted(self, mart: str, column: str) -> bool:
        """Whether the reader role must not read a column."""
        return not {f"{mart}.{column}", f"*.{column}"}.isdisjoint(self.restricted_columns)


class Serving(Section):
    """[serving]: where the marts are published beside the serving file."""

    postgres: PostgresServing | None = None
