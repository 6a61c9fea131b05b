"""Settings of the dashboard: where it listens, what it reads, who may look."""

from pydantic import Field

from pipeledger.settings.postgres import ConnectionString, Identifier
from pipeledger.settings.section import Section


class DashboardViewer(Section):
    """[[dashboard.viewers]]: who may look; without ``teams`` at everything."""

    user: str
    teams: tuple[str, ...] | None = None


class PostgresReading(Section):
    """[dashboard.postgres]: the marts there, in place of the serving file."""

    dsn: ConnectionString
    marts_schema: Identifier = "marts"
    meta_schema: Identifier = "meta"


class Dashboard(Section):
    """[dashboard]: where it listens, and who may look."""

    host: str = "127.0.0.1"
    port: int = Field(default=8050, ge=1, le=65535)
    hosts: tuple[str, ...] = ()
    user_header: str | None = None
    viewers: tuple[DashboardViewer, ...] = ()
    postgres: PostgresReading | None = None
