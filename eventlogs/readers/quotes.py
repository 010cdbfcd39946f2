"""Whether the quotation marks of a delimited text are what RFC 4180 says they are, at the speed of C."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_QUOTE = ord('"')


class QuoteWatch:
    """Looks at a text piece by piece, without parsing it: it may suspect too much, never too little."""

    def __init__(self, delimiter: str) -> None:
        self._plain: NDArray[np.bool_] = np.ones(256, dtype=np.bool_)
        self._plain[list(b'"\r\n' + delimiter.encode())] = False
        self._tail = b"\n"
        self._marks = 0
        self._irregular = False

    @property
    def suspicious(self) -> bool:
        """Whether text may follow a closing mark, or a quoted field may never be closed."""
        return self._irregular or self._marks % 2 == 1

    def feed(self, piece: bytes) -> None:
        """Look at the next bytes."""
        text = self._tail + piece
        # A run of marks at the end may go on: it is judged with the next piece, with the byte before it.
        kept = len(text.rstrip(b'"')) - 1
        self._tail = text[kept:]
        self._marks += piece.count(b'"')
        if b'"' not in text[: kept + 1] or self._irregular:
            return
        codes = np.frombuffer(text[: kept + 1], dtype=np.uint8)
        at = np.flatnonzero(codes == _QUOTE)
        starts = at[np.diff(at, prepend=-2) > 1]
        ends = at[np.diff(at, append=len(codes) + 1) > 1]
        odd = (ends - starts) % 2 == 0
        # After text, marks come in pairs or close the field; after a delimiter, an odd number opens it.
        wrong = self._plain[codes[ends + 1]] & (self._plain[codes[starts - 1]] == odd)
        self._irregular = bool(wrong.any())
