"""Odoo on loopback: JSON-RPC of 17 and JSON-2 of 19 over one small ORM."""

from sandbox.odoo.server import OdooServer
from sandbox.odoo.state import API_KEY, DATABASE, LOGIN, OdooState

__all__ = ["API_KEY", "DATABASE", "LOGIN", "OdooServer", "OdooState"]
