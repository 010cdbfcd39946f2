"""How a delimited text is written: its delimiter, its header, and where its rows begin."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from metagraph.errors import DataError

LONGEST_FIELD = 1 << 20
"""Characters; a longer field is no attribute but a missing quotation mark, or a document."""
# For the whole process and for good: imports that run at once must not take it from each other.
csv.field_size_limit(LONGEST_FIELD)
MOST_COLUMNS = 2_000

SAMPLE = 1 << 20
"""Bytes of UTF-8 from which the dialect is told."""

_DELIMITERS = ",;\t|"
_SAMPLED_ROWS = 1_000
_SEP_LINE = re.compile(r'"?sep=([\t!#-/:-@[-`{-~])"?(?:\r\n|\r|\n)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the first rows of a text tell about all of it."""

    delimiter: str
    columns: tuple[str, ...]
    start: int
    """Bytes of UTF-8 before the first row under the header."""
    lines: int
    """Lines before it."""
    notes: tuple[str, ...]


def tell_dialect(path: Path, sample: bytes, whole: bool) -> Dialect:
    """The dialect of a text of which `sample` is the beginning, or the `whole`, as UTF-8.

    Raises DataError when there is no header, or it can't be used.
    """
    text = sample.decode(errors="ignore" if not whole else "strict")
    if not text.strip():
        raise DataError(f"{path}: the file is empty; a log needs a header and at least one event")
    named = _SEP_LINE.match(text)
    preamble = named[0] if named else ""
    tried = [_try(path, text[len(preamble) :], mark, whole) for mark in (named[1] if named else _DELIMITERS)]
    best = max(tried, key=_Trial.merit)
    if not best.header:
        raise DataError(f"{path}: the file is empty; a log needs a header and at least one event")
    names, notes = _names(path, best)
    lines = best.lines + bool(named)
    return Dialect(best.delimiter, names, len((preamble + best.before).encode()), lines, notes)


def is_blank(row: Sequence[str], width: int = 2) -> bool:
    """Whether a row is a blank line: white space alone is a value only in a table of one column."""
    return not row or (width > 1 and len(row) == 1 and not row[0].strip())


@dataclass(frozen=True, slots=True)
class _Trial:
    """A sample read with one delimiter."""

    delimiter: str
    header: tuple[str, ...]
    before: str
    """The text up to the end of the header."""
    lines: int
    rows: tuple[tuple[str, ...], ...]

    def trailing(self) -> bool:
        """Whether every row ends in a delimiter that the header lacks."""
        return bool(self.rows) and all(len(r) == len(self.header) + 1 and not r[-1] for r in self.rows)

    def merit(self) -> tuple[float, int]:
        """Cells in sampled rows as wide as the header; between equals, the wider header."""
        width = len(self.header)
        if width <= 1:
            return 0.0, width
        fits = sum(len(row) == width for row in self.rows) / len(self.rows) if self.rows else 1.0
        return (1.0 if self.trailing() else fits) * (width - 1), width


def _try(path: Path, text: str, delimiter: str, whole: bool) -> _Trial:
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    rows = csv.reader(lines(), delimiter=delimiter)
    header: list[str] = []
    found: list[tuple[str, ...]] = []
    # A field too long for the csv module ends the sample; where it stands is told later.
    with suppress(csv.Error):
        header = next((row for row in rows if not is_blank(row)), [])
    before, count = "".join(taken), len(taken)
    with suppress(csv.Error):
        found.extend(tuple(row) for row in islice(rows, _SAMPLED_ROWS) if not is_blank(row))
    if not whole:
        if len(before) == len(text):
            raise DataError(
                f"{path}, line 1: the header doesn't end within {SAMPLE >> 20} MB; a quotation mark may be "
                "missing, or the file is no table"
            )
        # The sample may end amid its last row.
        found = found[:-1]
    return _Trial(delimiter, tuple(header), before, count, tuple(found))


def _names(path: Path, trial: _Trial) -> tuple[tuple[str, ...], tuple[str, ...]]:
    header: Sequence[str] = trial.header
    notes: list[str] = []
    if trial.trailing():
        header = (*header, "")
        notes.append("Every row ends in a delimiter that the header lacks; it was read as a nameless column.")
    if len(header) > MOST_COLUMNS:
        raise DataError(
            f"{path}: the header names {len(header):,} columns and at most {MOST_COLUMNS:,} are read; export "
            "only those that matter"
        )
    names = tuple(name.strip() or f"column {i + 1}" for i, name in enumerate(header))
    if twice := sorted(name for name in set(names) if names.count(name) > 1):
        raise DataError(
            f"{path}: the header names the column {twice[0]!r} twice; give each column its own name"
        )
    return names, tuple(notes)
