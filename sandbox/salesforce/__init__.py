"""A Salesforce org on loopback."""

from sandbox.salesforce.server import SalesforceServer
from sandbox.salesforce.state import CLIENT_ID, CLIENT_SECRET, SalesforceState

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "SalesforceServer", "SalesforceState"]
