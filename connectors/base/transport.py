"""One HTTP exchange, bounded in every direction and tied to one origin.

Measured on httpx 0.28: a client-level header follows an absolute next link to any host,
a redirect takes X-Api-Key and cookies along, a 204 kB body inflates to 210 MB, and a
drip feed outlives every timeout. Hence: credentials are put on one checked request at a
time, redirects are followed by hand, gzip is unpacked here against a cap, and a
deadline spans the whole exchange.
"""

import asyncio
import http.cookiejar
import ipaddress
import re
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import httpx

from connectors.base.errors import BodyTooLarge, ConfigError, OriginRefused, ProtocolError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_UNSAFE = re.compile(r"[\\\x00-\x20]")
_PORTS = {"https": 443, "http": 80}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_HOPS = 3


class Transient(Exception):  # noqa: N818 - not an error of the caller's, the retry loop's word
    """The exchange broke in a way that a second try may mend."""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: the only place a credential may go."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        default = _PORTS[self.scheme] == self.port
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if default else f":{self.port}")

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Read the origin of an absolute URL.

        Raises:
            OriginRefused: not https (http is for loopback alone), carries a user name
                or password, or is no URL at all.
        """
        if _UNSAFE.search(url) is not None:
            raise OriginRefused("refused an address with a backslash, blank or control character")
        try:
            # A long query takes ten times as long to read, and says nothing of the origin.
            parsed = httpx.URL(without_query(url))
        except (httpx.InvalidURL, ValueError) as fault:
            raise OriginRefused(f"refused an address that is no URL: {fault}") from None
        host = parsed.host.rstrip(".").lower()
        if parsed.userinfo:
            raise OriginRefused(f"refused an address at {host!r} with a user name in it")
        if parsed.scheme not in _PORTS or not host:
            raise OriginRefused(f"refused an address with scheme {parsed.scheme!r}")
        if parsed.scheme == "http" and not _is_loopback(host):
            raise OriginRefused(f"refused plain http to {host!r}; use https")
        return cls(parsed.scheme, host, parsed.port or _PORTS[parsed.scheme])


def without_query(url: str) -> str:
    """An address up to its query; no origin and no path reaches beyond."""
    return url.partition("?")[0]


def base_origin(base_url: str) -> Origin:
    """The origin of a configured base URL.

    Raises:
        ConfigError: what ``Origin.of`` refuses, or a query in it.
    """
    try:
        origin = Origin.of(base_url)
    except OriginRefused as fault:
        raise ConfigError(f"base_url: {fault}") from None
    if httpx.URL(base_url).query or "#" in base_url:
        raise ConfigError("base_url must not carry a query or fragment")
    return origin


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


async def check_addresses(
    origin: Origin,
    *,
    is_base: bool,
    resolve: Callable[[str, int], Awaitable[Sequence[str]]] = _resolve,
) -> None:
    """Refuse a name that leads to where no vendor lives.

    An address written out in the configured base URL is the user's own choice. A name
    may not resolve to a link-local address (cloud metadata) or to loopback; a name that
    is not the base may not resolve to any private address either.

    Raises:
        OriginRefused: the name leads there.
        Transient: the name cannot be resolved now.
    """
    if is_base and (_ip(origin.host) is not None or origin.host in LOOPBACK_NAMES):
        return
    try:
        addresses = await resolve(origin.host, origin.port)
    except OSError as fault:
        raise Transient(f"{origin.host} cannot be resolved: {fault}") from None
    for text in addresses:
        address = ipaddress.ip_address(text.split("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        closed = mapped.is_link_local or mapped.is_loopback or mapped.is_unspecified
        if closed or mapped.is_multicast or (not is_base and not mapped.is_global):
            raise OriginRefused(f"{origin.host} leads to {mapped}, where no vendor lives")


def with_params(url: str, params: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    """Append parameters to whatever query the address already carries."""
    pairs = list(params.items()) if isinstance(params, Mapping) else list(params)
    if not pairs:
        return url
    return url + ("&" if "?" in url else "?") + urlencode(pairs)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: headers with lower-case names, the body unpacked and whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one exchange."""

    max_body_bytes: int = 50_000_000
    deadline_seconds: float = 120.0
    connect_seconds: float = 10.0
    read_seconds: float = 60.0


@cache
def _public_trust() -> ssl.SSLContext:
    """The machine's own authorities, read once: there are some hundred and they take 20 ms.

    Never to be changed, since all connections that name no authority share it.
    """
    return ssl.create_default_context()


def new_http(*, ca_file: str | None = None, connections: int = 32) -> httpx.AsyncClient:
    """An httpx client that holds nothing: no credential, cookie, proxy or redirect rule.

    ``ca_file`` adds a private certificate authority; verification cannot be turned off.
    """
    context = _public_trust()
    if ca_file is not None:
        if not Path(ca_file).is_file():
            raise ConfigError(f"ca_file: {ca_file} is not a file")
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=ca_file)
    no_cookies = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(
        verify=context,
        trust_env=False,
        follow_redirects=False,
        cookies=no_cookies,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )


class _Unpacker:
    """gzip, undone piece by piece so that no piece exceeds what is left of the cap."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self.is_whole = False

    def feed(self, chunk: bytes, room: int) -> bytes:
        out = bytearray()
        while chunk and len(out) <= room:
            if self._stream.eof:  # a second member follows the first
                self._stream = zlib.decompressobj(wbits=31)
            out += self._stream.decompress(chunk, room + 1 - len(out))
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        self.is_whole = self._stream.eof
        return bytes(out)


async def _read_body(response: httpx.Response, cap: int) -> bytes:
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", "", "gzip", "x-gzip"}:
        raise ProtocolError(f"the answer is packed as {coding!r}, which was not asked for")
    unpacker = _Unpacker() if coding in {"gzip", "x-gzip"} else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        try:
            body += chunk if unpacker is None else unpacker.feed(chunk, cap - len(body))
        except zlib.error as fault:
            raise Transient(f"the packed answer is damaged: {fault}") from None
        if len(body) > cap:
            raise BodyTooLarge(f"the answer is larger than {cap} bytes unpacked")
    if unpacker is not None and not unpacker.is_whole and body:
        raise Transient("the packed answer ends too early")
    return bytes(body)


def _cause(fault: BaseException) -> str:
    """The most telling line of a chain of exceptions, an SSL one first."""
    chain: list[BaseException] = []
    at: BaseException | None = fault
    while at is not None and at not in chain:
        chain.append(at)
        at = at.__cause__ or at.__context__
    tls = next((link for link in chain if isinstance(link, ssl.SSLError)), None)
    if tls is not None:
        return f"TLS: {tls}"
    return str(fault) or type(fault).__name__


async def exchange(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    allowed: frozenset[Origin],
    headers: Mapping[str, str],
    content: bytes | None = None,
    bounds: Bounds,
) -> Answer:
    """Send one request and read its whole answer, following redirects inside ``allowed``.

    ``headers`` carry the credential; they are attached after the address was checked.

    Raises:
        OriginRefused: the address, or one that it redirects to, is not allowed.
        Transient: connection, timeout or a body that breaks off; may be tried again.
        ProtocolError: a TLS failure, too many redirects, or a body over the cap.
    """
    timeout = httpx.Timeout(bounds.read_seconds, connect=bounds.connect_seconds)
    try:
        async with asyncio.timeout(bounds.deadline_seconds):
            for _ in range(MAX_HOPS + 1):
                if Origin.of(url) not in allowed:
                    raise OriginRefused(
                        f"refused to go to {Origin.of(url)}, which is not the configured "
                        f"{' or '.join(sorted(str(origin) for origin in allowed))}"
                    )
                request = http.build_request(
                    method, url, headers=dict(headers), content=content, timeout=timeout
                )
                response = await http.send(request, stream=True)
                try:
                    if response.status_code not in _REDIRECTS:
                        body = await _read_body(response, bounds.max_body_bytes)
                        folded = {k.lower(): v for k, v in response.headers.items()}
                        return Answer(response.status_code, folded, body, str(response.url))
                    place = response.headers.get("location", "")
                    if method != "GET" and response.status_code not in {307, 308}:
                        raise ProtocolError(f"a redirect ({response.status_code}) of a {method}")
                    url = str(httpx.URL(url).join(place))
                finally:
                    await response.aclose()
            raise ProtocolError(f"more than {MAX_HOPS} redirects")
    except TimeoutError:
        raise Transient(f"no whole answer within {bounds.deadline_seconds:g} s") from None
    except httpx.InvalidURL as fault:
        raise OriginRefused(f"refused an address that is no URL: {fault}") from None
    except httpx.TransportError as fault:
        cause = _cause(fault)
        if cause.startswith("TLS: ") and "EOF" not in cause:
            raise ProtocolError(f"{cause}. The certificate must be valid for this host.") from None
        raise Transient(f"{type(fault).__name__}: {cause}") from None
