"""What every answer says to the browser, and whom the server answers."""

import ipaddress
from collections.abc import Sequence

from flask import Flask, Response, abort, request


def policy(script_hashes: Sequence[str]) -> str:
    """The content security policy: this server only, and no inline script but Dash's own.

    Plotly and AG Grid write style sheets at run time, which is why styles may be inline.
    """
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(script_hashes)}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def guard(server: Flask, script_hashes: Sequence[str], hosts: Sequence[str]) -> None:
    """Set the headers of every answer, and refuse requests for a host that is not ours.

    A page elsewhere can point a name of its own at this machine; its requests name that host.
    """
    said = policy(script_hashes)
    known = {host.casefold() for host in hosts}

    @server.before_request
    def refuse_strangers() -> None:
        name = request.host.rsplit(":", 1)[0] if request.host[-1:] != "]" else request.host
        if not is_loopback(name) and name.casefold() not in known:
            abort(421)

    @server.after_request
    def set_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = said
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if not request.path.startswith(("/_dash-component-suites/", "/assets/")):
            response.headers["Cache-Control"] = "no-store"
        return response
