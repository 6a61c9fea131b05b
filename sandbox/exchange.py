"""What a sandbox vendor is asked and answers, and which function answers what."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import msgspec


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case, path decoded, query as lists."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    values: Mapping[str, str] = field(default_factory=dict)
    """What the placeholders of the matched route stand for."""
    target: str = ""
    """Path and query as they came, for vendors that cap the length of an address."""

    def param(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter."""
        found = self.query.get(name)
        return found[0] if found else default

    def json(self) -> Any:
        """The body as JSON; ValueError if it is none."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """The body as a form, first value of each field."""
        fields = parse_qs(self.body.decode(), keep_blank_values=True)
        return {name: found[0] for name, found in fields.items()}


@dataclass(slots=True)
class Reply:
    """One answer.

    ``cut_after`` sends only so many bytes of the body, then hangs up, while Content-Length
    (unless ``chunked``) still promises the whole. ``drop`` hangs up without a word.
    ``drip_seconds`` waits that long after each KiB.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json;charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    cut_after: int | None = None
    chunked: bool = False
    drop: bool = False
    drip_seconds: float = 0.0


App: TypeAlias = Callable[[Request], Reply]


def reply_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with a value as compact JSON."""
    body = msgspec.json.encode(value)
    return Reply(status=status, body=body, headers=headers or {})


def reply_html(text: str, status: int = 200) -> Reply:
    """Answer with a page, as proxies and login walls do."""
    return Reply(status=status, body=text.encode(), content_type="text/html; charset=utf-8")


class Router:
    """Routes such as ``/crm/objects/{version}/{object_type}``, first match wins.

    A placeholder stands for one path segment. Another method on a known path is 405.
    """

    def __init__(self, not_found: App | None = None) -> None:
        self._routes: list[tuple[str, re.Pattern[str], App]] = []
        self._not_found = not_found or (lambda _: reply_json({"message": "not found"}, 404))

    def add(self, method: str, pattern: str, app: App) -> "Router":
        """Route a method and path to ``app``; returns the router, to be chained."""
        expression = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(pattern))
        self._routes.append((method, re.compile(expression), app))
        return self

    def get(self, pattern: str, app: App) -> "Router":
        """Route GET."""
        return self.add("GET", pattern, app)

    def post(self, pattern: str, app: App) -> "Router":
        """Route POST."""
        return self.add("POST", pattern, app)

    def __call__(self, request: Request) -> Reply:
        """Answer with the first route that matches the request."""
        known = False
        for method, pattern, app in self._routes:
            if match := pattern.fullmatch(request.path):
                if method == request.method:
                    return app(replace(request, values=match.groupdict()))
                known = True
        if known:
            return reply_json({"message": "method not allowed"}, 405)
        return self._not_found(request)
