"""A little S3 on loopback: signed requests only, and an object is there when it is complete."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase, BytesIO
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "AKIDOFTHESANDBOX"
_SIGNED = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={KEY}/\d{{8}}/[\w-]+/s3/aws4_request, .*Signature="
)


class Store(ThreadingHTTPServer):
    """The objects by path, the uploads that are not complete, and when it says that it is full."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_port
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.largest = 1024**3
        """Bytes of a request above which it is refused."""

    def take(self, method: str, target: str, body: bytes) -> tuple[int, str]:
        """What a signed request is answered: status and XML."""
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        key = unquote(parts.path)
        if len(body) > self.largest:
            return _refusal(400, "EntityTooLarge")
        if method == "POST" and "uploads" in query:
            name = f"up{len(self.parts)}"
            self.parts[name] = {}
            return 200, (
                f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId>"
                "</InitiateMultipartUploadResult>"
            )
        if "uploadId" not in query or method not in {"PUT", "POST", "DELETE"}:
            return _refusal(404, "NoSuchKey")
        upload = query["uploadId"][0]
        if method == "PUT":
            self.parts[upload][int(query["partNumber"][0])] = body
            return 200, ""
        uploaded = self.parts.pop(upload)
        if method == "POST":
            self.objects[key] = b"".join(uploaded[number] for number in sorted(uploaded))
        return 200, "<CompleteMultipartUploadResult/>"


def _refusal(status: int, code: str) -> tuple[int, str]:
    return status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_one(self) -> None:
        """Read a request, signed or not, and answer it."""
        body = self._body()
        if _SIGNED.match(self.headers.get("Authorization") or ""):
            status, text = self.server.take(self.command, self.path, body)
        else:
            status, text = _refusal(403, "InvalidAccessKeyId")
        content = text.encode()
        self.send_response(status)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = _joined(self.rfile)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # The client's own pieces, with a checksum behind the last one, within those of HTTP.
        is_wrapped = "aws-chunked" in (self.headers.get("Content-Encoding") or "")
        return _joined(BytesIO(body)) if is_wrapped else body

    do_PUT = do_POST = do_GET = do_DELETE = handle_one  # noqa: N815 - the server's names


def _joined(stream: BufferedIOBase) -> bytes:
    """A body in chunks, each behind its size; what trails the last one is read and left."""
    found = b""
    while size := int(stream.readline().split(b";")[0], 16):
        found += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
    return found


@contextmanager
def object_store() -> Iterator[Store]:
    """Serve an empty store."""
    with Store() as store:
        threading.Thread(target=store.serve_forever, daemon=True).start()
        try:
            yield store
        finally:
            store.shutdown()
