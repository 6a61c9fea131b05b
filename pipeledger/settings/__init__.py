"""Settings: one typed object, read once at the edge and passed in."""

from pipeledger.settings.draft import Origin
from pipeledger.settings.load import Loaded, load_settings
from pipeledger.settings.model import Connection, Settings

__all__ = ["Connection", "Loaded", "Origin", "Settings", "load_settings"]
