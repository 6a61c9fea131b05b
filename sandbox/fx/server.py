"""The ECB's web server as far as readers use it: one static file, conditional requests."""

import hashlib
from email.utils import parsedate_to_datetime

from sandbox.exchange import Reply, Request, reply_html
from sandbox.fx.state import FxState
from sandbox.http import SandboxServer, http_date

HISTORY = "/eurofxref-hist.zip"


class FxServer(SandboxServer):
    """The folder of the files on loopback."""

    def __init__(self, state: FxState | None = None) -> None:
        self.state = state or FxState()
        super().__init__(self._handle)

    def _handle(self, request: Request) -> Reply:
        if request.path != HISTORY or request.method != "GET":
            return reply_html("<html>The requested page does not exist</html>", 404)
        packed = self.state.archive()
        etag = f'"{hashlib.sha256(packed).hexdigest()[:16]}"'
        modified = self.state.modified_at()
        headers = {"ETag": etag, "Last-Modified": http_date(modified),
                   "Date": http_date(self.state.now)}  # fmt: skip
        if self._is_known(request, etag):
            return Reply(304, headers=headers)
        return Reply(200, packed, content_type="application/zip", headers=headers)

    def _is_known(self, request: Request, etag: str) -> bool:
        """If-None-Match decides where it is sent; else If-Modified-Since (RFC 9110, 13.2.2)."""
        marks = request.headers.get("if-none-match")
        if marks is not None:
            return etag in {mark.strip().removeprefix("W/") for mark in marks.split(",")}
        since = request.headers.get("if-modified-since")
        return since is not None and self.state.modified_at() <= parsedate_to_datetime(since)
