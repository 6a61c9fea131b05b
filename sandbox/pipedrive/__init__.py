"""A Pipedrive company on loopback."""

from sandbox.pipedrive.server import PipedriveServer
from sandbox.pipedrive.state import API_TOKEN, PipedriveState

__all__ = ["API_TOKEN", "PipedriveServer", "PipedriveState"]
