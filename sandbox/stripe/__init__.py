"""A Stripe account on loopback that enforces Stripe's rules.

state = StripeState()
with StripeServer(state) as server:
    ...  # GET server.url + "/v1/invoices", Bearer TEST_KEY
"""

from sandbox.stripe.server import VERSION, StripeServer
from sandbox.stripe.state import TEST_KEY, Key, StripeState

__all__ = ["TEST_KEY", "VERSION", "Key", "StripeServer", "StripeState"]
