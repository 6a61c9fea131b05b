"""Doctor: does each connection work, and does it hold the rights it needs and no more."""

from collections.abc import Sequence
from typing import Any

from connectors.base.errors import PipeledgerError
from connectors.base.stream import Resources, ScopeReport
from pipeledger.pipeline import clock_of
from pipeledger.settings import Connection, Settings

POSTGRES = "postgres"
"""What `doctor` and `init` call the serving in PostgreSQL."""


async def examine(settings: Settings, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Sign in to each chosen connection and report what was found.

    Returns:
        One entry per connection, and one for PostgreSQL where it is configured: source,
        connection, ok, account, lines for people.
    """
    chosen = [one for one in settings.connections if not names or one.name in names]
    found = [await _examine(settings, one) for one in chosen]
    postgres = settings.serving.postgres
    if postgres is not None and (not names or POSTGRES in names):
        from pipeledger.postgres.examine import examine_postgres

        found.append({"source": "serving", "connection": POSTGRES, **examine_postgres(postgres)})
    return found


async def _examine(settings: Settings, connection: Connection) -> dict[str, Any]:
    state = settings.paths.state / connection.name
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    resources = Resources(connection.name, str(state), clock_of(settings))
    entry: dict[str, Any] = {"source": connection.source, "connection": connection.name}
    try:
        async with connection.connector.open(connection.settings, resources) as session:
            report: ScopeReport = await connection.connector.check(session)
    except PipeledgerError as error:
        return {**entry, "ok": False, "account": "cannot be opened", "lines": [str(error)]}
    lines = [f"granted: {', '.join(report.granted) or 'unknown'}"]
    lines += [
        f"missing for {stream}: {', '.join(scopes)}. Grant them, or drop the stream."
        for stream, scopes in report.missing.items()
    ]
    if report.needless:
        lines.append(f"more than needed: {', '.join(report.needless)}. Take them away.")
    return {
        **entry,
        "ok": not report.missing,
        "account": report.account,
        "lines": [*lines, *report.notes],
    }
