"""The bytes of a log file, unpacked while they are read, and what kind of log they are.

What a file is packed in and what it holds is told by its first bytes; the ending of a name decides only
between texts. Sizes given in an archive's own headers are never trusted.
"""

from __future__ import annotations

import gzip
import io
import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Literal, cast

from metagraph.errors import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Kind = Literal["text", "xes", "parquet", "sqlite", "json"]

MOST_UNPACKED = 200
"""How many times its packed size content may have: logs as text reach 40, XES 60, bombs 1,000 and more."""
UNPACKED_FLOOR = 64 << 20
"""Bytes up to which nobody asks for that ratio."""

_BUFFER = 1 << 20
_HEAD = 64
_GZIP = b"\x1f\x8b"
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_FOREIGN = (
    (b"BZh", "packed with bzip2; unpack it first"),
    (b"\xfd7zXZ\0", "packed with xz; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook; save its sheet as CSV UTF-8"),
    (b"%PDF", "a PDF document; export the log as CSV or XES"),
)
_DAMAGE = (
    *(gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError),
    *(NotImplementedError, RuntimeError, OSError, ValueError),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A log file as it lies on the disk."""

    path: Path
    member: str | None
    """The file inside a ZIP archive."""
    kind: Kind


def identify(path: Path) -> Source:
    """What a file holds, by its first bytes and, between texts, by the ending of its (inner) name.

    Raises DataError as `open_bytes` does.
    """
    with open_bytes(path) as content:
        head = content.peek(_HEAD)[:_HEAD]
    member = _member_of(path)
    name = (member or path.name).lower()
    return Source(path, member, _kind(head, Path(name.removesuffix(".gz").removesuffix(".zip")).suffix))


@contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedReader]:
    """The content of a file: of a gzip or ZIP archive what is packed in it, else the file itself.

    Raises DataError, also while being read: no such file, no right to read it, not a regular file, empty, an
    archive that is damaged, encrypted, nested, grows beyond measure, or doesn't hold exactly one file.
    """
    _check_regular(path)
    try:
        with path.open("rb") as raw:
            head = raw.peek(_HEAD)
            if not head:
                raise DataError(f"{path}: the file is empty; a log needs at least one event")
            if head.startswith(_GZIP):
                with gzip.GzipFile(fileobj=raw) as packed:
                    yield _unpacked(path, cast(BinaryIO, packed), raw)
            elif head.startswith(_ZIPS):
                with _zip(path, raw) as archive, archive.open(_only_member(path, archive)) as packed:
                    yield _unpacked(path, packed, raw)
            else:
                _refuse_foreign(path, head)
                yield raw
    except (OSError, NotImplementedError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} can't be opened: {getattr(error, 'strerror', None) or error}") from None


@contextmanager
def on_disk(path: Path) -> Iterator[Path]:
    """The content as a file of its own with a plain name, for libraries that want a path to seek in.

    Raises DataError as `open_bytes` does, or when there is no room to unpack it.
    """
    with tempfile.TemporaryDirectory(prefix="tracetwin-") as folder, open_bytes(path) as content:
        plain = Path(folder) / "log"
        if isinstance(content.raw, _Unpacked):
            try:
                with plain.open("wb") as out:
                    shutil.copyfileobj(content, out, _BUFFER)
            except OSError as error:
                raise DataError(f"{path} can't be unpacked into {folder}: {error.strerror}") from None
        else:
            # A link: names with * or [ would be taken for patterns.
            plain.symlink_to(path.resolve())
        yield plain


class _Unpacked(io.RawIOBase):
    """What comes out of an archive, watched while it grows."""

    def __init__(self, path: Path, content: IO[bytes], raw: io.BufferedReader) -> None:
        self._path, self._content, self._raw = path, content, raw
        self._start, self._unpacked = raw.tell(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer).cast("B")
        try:
            chunk = self._content.read(len(target))
        except _DAMAGE as error:
            raise DataError(
                f"{self._path}: the archive is damaged or cut short ({error}); fetch or pack it again"
            ) from None
        target[: len(chunk)] = chunk
        self._unpacked += len(chunk)
        packed = max(self._raw.tell() - self._start, 1)
        if self._unpacked > max(UNPACKED_FLOOR, MOST_UNPACKED * packed):
            raise DataError(
                f"{self._path}: the archive unpacks to more than {MOST_UNPACKED} times its size, as no log "
                "does; if it is one, unpack it yourself and give the unpacked file"
            )
        return len(chunk)


def _unpacked(path: Path, packed: IO[bytes], raw: io.BufferedReader) -> io.BufferedReader:
    content: io.BufferedReader = io.BufferedReader(_Unpacked(path, packed, raw), _BUFFER)
    head = content.peek(_HEAD)
    if not head:
        raise DataError(f"{path}: the packed file is empty; a log needs at least one event")
    if head.startswith((_GZIP, *_ZIPS)):
        raise DataError(f"{path}: there is an archive inside the archive; pack the log itself, only once")
    _refuse_foreign(path, head)
    return content


def _check_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} can't be opened: {reason}") from None
    if stat.S_ISDIR(mode):
        raise DataError(f"{path} is a folder; name one log file in it")
    if not stat.S_ISREG(mode):
        raise DataError(f"{path} is a pipe or device, which can be read only once; save it as a file first")


def _refuse_foreign(path: Path, head: bytes) -> None:
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise DataError(f"{path} is {what}")


def _zip(path: Path, raw: io.BufferedReader) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(raw)
    except _DAMAGE as error:
        raise DataError(
            f"{path}: the archive is damaged or cut short ({error}); fetch or pack it again"
        ) from None


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    # macOS adds folders and files of its own.
    files = [
        info
        for info in archive.infolist()
        if not info.is_dir()
        and not info.filename.startswith("__MACOSX/")
        and not info.filename.endswith(".DS_Store")
    ]
    names = [info.filename for info in files]
    if "[Content_Types].xml" in names:
        raise DataError(
            f"{path} is an Excel workbook or another office document; save its sheet as CSV UTF-8"
        )
    if len(files) != 1:
        listed = ", ".join(repr(name) for name in names[:5]) + (", …" if len(names) > 5 else "")
        held = f"{len(files)} files ({listed})" if files else "no file"
        raise DataError(f"{path}: the archive holds {held}; pack exactly one log")
    if files[0].flag_bits & 1:
        raise DataError(f"{path}: the archive is encrypted; unpack it with its password first")
    return files[0]


def _member_of(path: Path) -> str | None:
    with path.open("rb") as raw:
        if not raw.peek(4).startswith(_ZIPS):
            return None
        with zipfile.ZipFile(raw) as archive:
            return _only_member(path, archive).filename


def _kind(head: bytes, ending: str) -> Kind:
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if head.startswith(b"SQLite format 3\0"):
        return "sqlite"
    # A header of text may begin with PAR1 too; in Parquet a Thrift structure follows at once.
    if ending == ".parquet" or head.startswith((b"PAR1\x15", b"PARE")):
        return "parquet"
    if ending == ".xes" or text.startswith((b"<?xml", b"<log", b"<!DOCTYPE", b"<!--")):
        return "xes"
    if ending in (".json", ".jsonocel") or (text.startswith(b"{") and ending not in (".csv", ".tsv", ".txt")):
        return "json"
    return "text"
