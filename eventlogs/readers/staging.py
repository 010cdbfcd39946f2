"""What every reader leaves behind: the log's columns as text, untouched."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from eventlogs.sql import quoted

AS_IT_STOOD = "(row as it stood)"
"""Key of a broken row's whole text in its `raw`."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A file read into temporary tables, nothing left out.

    `staging` holds `row` (from 1, in file order) and c0, c1, … as VARCHAR, NULL where a field is empty.
    `broken` holds the rows that can't be told apart into fields: `row` (in the same numbering), `reason` (for
    counting), `fault` (what is wrong with this row) and `raw` (JSON: the fields it has, and AS_IT_STOOD).
    """

    source: str
    columns: tuple[str, ...]
    """The file's names of c0, c1, …"""
    rows: int
    """Rows of `staging` and `broken`."""
    content_hash: str
    """SHA-256 of the unpacked content."""
    unit: str
    """What a reader of the file calls a row: `line`, `data row`, `event`."""
    first: int
    """The number of the first row in that unit."""
    notes: tuple[str, ...]
    shifts: tuple[tuple[int, int], ...] = ()
    """(row, skipped) in order: so many lines more stand before that row than there are rows."""
    broken: int = 0
    """Rows of `broken`."""
    encoding: str | None = None
    """Of a text: utf-8, utf-16-le, cp1252, …"""
    delimiter: str | None = None
    member: str | None = None
    """The file that was read inside a ZIP archive."""
    object_type: str | None = None
    """Of an object-centric log: the type whose objects are the cases."""
    object_types: tuple[tuple[str, int], ...] = ()
    """All its types with their numbers of objects, the most frequent first."""
    numeric: tuple[str, ...] = ()
    """Columns that the file itself says to be numbers: their decimal sign is a point."""

    def place(self, row: int) -> str:
        """Where a row stands, such as `orders.csv, line 13`."""
        before = bisect_right(self.shifts, row, key=lambda shift: shift[0])
        skipped = self.shifts[before - 1][1] if before else 0
        return f"{self.source}, {self.unit} {row - 1 + self.first + skipped}"

    def column(self, name: str) -> str:
        """The staging table's column for one of the file's names."""
        return f"c{self.columns.index(name)}"

    def json(self, names: tuple[str, ...]) -> str:
        """SQL for these columns of a staged row as JSON text."""
        pairs = ", ".join(f"{quoted(name)}, {self.column(name)}" for name in names)
        return f"json_object({pairs})::VARCHAR"


def prepare(con: DuckDBPyConnection) -> None:
    """Make an empty table `broken`; every reader makes its own `staging`."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE broken (row BIGINT, reason VARCHAR, fault VARCHAR, raw VARCHAR)"
    )
