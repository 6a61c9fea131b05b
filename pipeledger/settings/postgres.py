"""How PostgreSQL is named and reached, in the settings that write to it and those that read."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr, StringConstraints

from pipeledger.settings.section import is_loopback

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
