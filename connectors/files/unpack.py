"""The bytes of a file as text, unpacked where it was packed, within limits.

A few kilobytes can unpack to a disk full of nothing; a download that was cut off ends in the
middle of a row. Both are refused, never read as a short file.
"""

import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from connectors.base.errors import ProtocolError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PACKED = frozenset({".gz", ".zip", ".zst"})
MAX_UNPACKED = 2 * 1024**3
MAX_RATIO = 100
ALWAYS_ALLOWED = 1024**2
"""Unpacked bytes below which the ratio is nobody's danger."""


class _Source(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def close(self) -> None: ...


class _Unpacked(io.RawIOBase):
    """What a packed file holds, counted while it is read."""

    def __init__(self, source: _Source, path: Path) -> None:
        self._source = source
        self._name = path.name
        self._left = allowed(path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        try:
            data = self._source.read(len(view))
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise ProtocolError(f"{self._name}: is damaged or was cut off: {error}") from error
        self._left -= len(data)
        if self._left < 0:
            raise ProtocolError(
                f"{self._name}: unpacks to more than {MAX_RATIO} times its size, or than "
                f"{MAX_UNPACKED >> 30} GB; refused"
            )
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


def allowed(packed: int) -> int:
    """Bytes that a file of so many packed bytes may unpack to."""
    return min(MAX_UNPACKED, max(MAX_RATIO * packed, ALWAYS_ALLOWED))


def open_text(path: Path, encoding: str) -> IO[str]:
    """A file's text; ``.gz``, ``.zst`` and ``.zip`` with one member are unpacked.

    Raises:
        ProtocolError: it is not what its suffix says, holds several files, or unpacks to
            more than it may (also while the text is read).
    """
    suffix = path.suffix.lower()
    if suffix not in PACKED:
        return io.TextIOWrapper(path.open("rb"), encoding=encoding, newline="")
    unpacked = io.BufferedReader(_Unpacked(_source(path, suffix), path), 1 << 16)
    return io.TextIOWrapper(unpacked, encoding=encoding, newline="")


def _source(path: Path, suffix: str) -> _Source:
    if suffix == ".gz":
        return gzip.GzipFile(path)
    if suffix == ".zst":
        import pyarrow as pa

        stream: _Source = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
        return stream
    try:
        archive = zipfile.ZipFile(path)
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) != 1:
            raise ProtocolError(f"{path.name}: an archive must hold one file, not {len(members)}")
        return archive.open(members[0])
    except (zipfile.BadZipFile, RuntimeError) as error:  # RuntimeError: under a password
        raise ProtocolError(f"{path.name}: cannot be opened as an archive: {error}") from error
