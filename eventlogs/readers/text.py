"""The content of a text file as valid UTF-8, checked, hashed and counted while it is read.

The encoding is told so: a byte order mark decides; else zero bytes in every other place mean UTF-16; else
the file is UTF-8 when all of it is. What is not UTF-8 is read as cp1252 (of which printable Latin-1 is a
part), unless one of its lines looks like UTF-8 beyond ASCII or holds a byte that cp1252 doesn't know: such a
file mixes encodings or has another one, and is refused.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from pathlib import Path
from typing import BinaryIO

from eventlogs.readers.archives import open_bytes
from metagraph.errors import DataError

LONGEST_LINE = 8 << 20
"""Bytes; no line of a log is longer."""
LEAST_READ = 64
"""Bytes to ask for at least."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What UTF-8 looks like and Western European text doesn't: no letter before closing punctuation, as in ß“.
_LIKE_UTF8 = re.compile(
    rb"[\xc2\xc3][\x80-\xbf]|\xe2[\x80-\xbf]{2}|(?:[\xc4-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}){2}"
    rb"|[\xc4-\xdf][\x80\x83\x86-\x90\x95\x98\x9a-\x9f\xa1-\xa8\xac\xaf\xb1\xb5-\xb8\xbc-\xbf]"
)
_NOT_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


class NotUtf8Error(Exception):
    """The text was taken for UTF-8 and isn't."""


class TextStream:
    """A text in `encoding` as UTF-8 bytes without a byte order mark.

    Reading raises DataError at a NUL character, a line of more than LONGEST_LINE or, in an encoding other
    than UTF-8, at an undecodable place; NotUtf8Error where text taken for UTF-8 isn't.
    """

    closed = False

    def __init__(self, path: Path, content: BinaryIO, encoding: str) -> None:
        self._path, self._content, self._encoding = path, content, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._digest = hashlib.sha256()
        self._line_ends = 0
        self._last = b"\n"
        self._line_length = 0
        self._started = False

    @property
    def content_hash(self) -> str:
        """SHA-256 of the bytes read so far, as they are in the (unpacked) file."""
        return self._digest.hexdigest()

    @property
    def lines(self) -> int:
        """Lines read so far, ended by LF, CR LF or CR alone; the last one may lack its end."""
        return self._line_ends + (self._last not in b"\r\n")

    def read(self, size: int) -> bytes:
        """At least one and at most `size` (LEAST_READ or more) bytes; none at the end."""
        is_utf8 = self._encoding == "utf-8"
        while True:
            # Two bytes of UTF-16 or one of cp1252 become three of UTF-8 at most.
            piece = self._content.read(size if is_utf8 else size // 3 - 8)
            self._digest.update(piece)
            text = self._decode(piece)
            found = piece if is_utf8 else text.encode()
            if found and not self._started:
                self._started, found = True, found.removeprefix(codecs.BOM_UTF8)
            if found or not piece:
                break
        self._count(found)
        return found

    def _decode(self, piece: bytes) -> str:
        if self._encoding == "utf-8" and piece and piece.isascii() and not self._decoder.getstate()[0]:
            # Nothing to prove, and the text itself isn't needed.
            return ""
        try:
            return self._decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            if self._encoding == "utf-8":
                raise NotUtf8Error from None
            self._count(error.object[: error.start].decode(self._encoding, "ignore").encode())
            raise DataError(
                f"{self._path}, line {self._line_ends + 1}: the text can't be read as {self._encoding} "
                f"({error.reason}); save the file as UTF-8"
            ) from None

    def _count(self, piece: bytes) -> None:
        if b"\0" in piece:
            self._count(piece[: piece.index(b"\0")])
            raise DataError(
                f"{self._path}, line {self._line_ends + 1}: the text holds a NUL character, as no table "
                "does; save the file as UTF-8 CSV"
            )
        if not piece:
            return
        self._line_ends += piece.count(b"\n")
        if b"\r" in piece:
            self._line_ends += piece.count(b"\r") - piece.count(b"\r\n")
        if self._last == b"\r" and piece[:1] == b"\n":
            self._line_ends -= 1
        self._last = piece[-1:]
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        self._line_length = len(piece) - end - 1 + (self._line_length if end < 0 else 0)
        if self._line_length > LONGEST_LINE:
            raise DataError(
                f"{self._path}, line {self._line_ends + 1}: the line is longer than "
                f"{LONGEST_LINE >> 20} MB, as no row of a log is; a line end or quotation mark may be missing"
            )


def encoding_by_head(head: bytes) -> str:
    """The encoding that a text's first bytes tell; `utf-8`, to be proven, when they tell none."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > 4 * even and odd > len(head) / 8:
        return "utf-16-le"
    if even > 4 * odd and even > len(head) / 8:
        return "utf-16-be"
    return "utf-8"


def encoding_besides_utf8(path: Path) -> str:
    """The encoding of a text that is not UTF-8: `cp1252`, or DataError naming a line against it."""
    number = 0
    with open_bytes(path) as content:
        while part := content.readline(LONGEST_LINE):
            for line in part.splitlines():
                number += 1
                if line.isascii():
                    continue
                if _LIKE_UTF8.search(line):
                    raise DataError(
                        f"{path} is not UTF-8, but its line {number} holds UTF-8 characters, so encodings "
                        "are mixed; save all of the file as UTF-8"
                    )
                if strange := _NOT_CP1252.search(line):
                    raise DataError(
                        f"{path}, line {number}: the byte {strange[0][0]:#x} is neither UTF-8 nor Western "
                        "European (cp1252), so the encoding isn't known; save the file as UTF-8"
                    )
    return "cp1252"
