"""The settings as Dagster's code location sees them, read when needed and never logged."""

from functools import cache

from connectors.base.errors import ConfigError
from pipeledger.settings import Settings, load_settings
from pipeledger.settings.model import Schedule
from pipeledger.sources import CONNECTORS

LOCK_WAIT_SECONDS = 1800.0
"""How long a step waits for a command line, or for another step, that holds what it needs."""


@cache
def settings() -> Settings:
    """The settings of this code location (``PIPELEDGER_CONFIG`` or ./pipeledger.toml)."""
    return load_settings().settings


def schedule() -> Schedule:
    """The schedule of the settings; the default where there are none yet."""
    try:
        return settings().schedule
    except ConfigError:
        return Schedule()


def has_retention() -> bool:
    """Whether the settings let any record go."""
    try:
        return bool(settings().retention)
    except ConfigError:
        return False


def configured_sources() -> list[str]:
    """The sources that have a connection; all of them where there are no settings yet."""
    try:
        return settings().sources()
    except ConfigError:
        return list(CONNECTORS)
