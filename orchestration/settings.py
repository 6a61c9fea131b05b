"""The settings as Dagster's code location sees them, read when needed and never logged."""

from functools import cache

from connectors.base.errors import ConfigError
from pipeledger.settings import Settings, load_settings
from pipeledger.sources import CONNECTORS


@cache
def settings() -> Settings:
    """The settings of this code location (``PIPELEDGER_CONFIG`` or ./pipeledger.toml)."""
    return load_settings().settings


def configured_sources() -> list[str]:
    """The sources that have a connection; all of them where there are no settings yet."""
    try:
        return settings().sources()
    except ConfigError:
        return list(CONNECTORS)
