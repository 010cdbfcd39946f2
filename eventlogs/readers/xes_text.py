"""The text of an XES file, whatever its encoding: by byte order mark, by declaration, or else UTF-8."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from metagraph.errors import DataError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"\s*<\?xml[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"']")
_NOT_FOR_FILES = frozenset({"utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna", "undefined"})


class Decoder:
    """Turns the file's bytes into text, portion by portion."""

    def __init__(self, head: bytes, path: Path) -> None:
        self.notes: tuple[str, ...] = ()
        self._path = path
        self._lines = 0
        self.encoding = self._find(head)
        self._decoder = codecs.getincrementaldecoder(self.encoding)()

    def decode(self, portion: bytes, *, final: bool = False) -> str:
        """Raises DataError naming the line of the first byte that is no text."""
        try:
            text = self._decoder.decode(portion, final)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count(b"\n") + 1
            raise DataError(
                f"{self._path}, line {line}: the text is not {self.encoding} ({error.reason}), as its "
                f"beginning says or XML assumes; declare the right encoding there, or save the file as UTF-8"
            ) from None
        self._lines += text.count("\n")
        return text

    def _find(self, head: bytes) -> str:
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        if head[:2] in (b"<\0", b"\0<"):
            return "utf-16-le" if head[0] else "utf-16-be"
        declared = _DECLARED.match(head)
        if not declared:
            return "utf-8"
        name = declared[1].decode()
        try:
            known = codecs.lookup(name)
        except LookupError:
            known = None
        # A codec of Python that is none of text has no place in a file's declaration.
        if known is None or not known._is_text_encoding or known.name in _NOT_FOR_FILES:
            raise DataError(
                f"{self._path}, line 1: the declared encoding {name!r} is unknown; save the file as UTF-8"
            )
        if known.name.startswith(("utf-16", "utf-32")):
            self.notes = (f"The file declares {name}, but is written as UTF-8; it was read as that.",)
            return "utf-8"
        return known.name
