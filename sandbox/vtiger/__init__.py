"""Vtiger as a sandbox: an installation in memory and its web service on loopback."""

from sandbox.vtiger.server import VtigerServer
from sandbox.vtiger.state import ACCESS_KEY, ADMIN, Entry, Login, VtigerState
from sandbox.vtiger.vtql import Query, VtqlError, parse

__all__ = [
    "ACCESS_KEY",
    "ADMIN",
    "Entry",
    "Login",
    "Query",
    "VtigerServer",
    "VtigerState",
    "VtqlError",
    "parse",
]
