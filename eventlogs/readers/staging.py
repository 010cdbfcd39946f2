"""What every reader leaves behind: the log's columns as text, untouched."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Staged:
    """A file read into temporary table `staging`: `row` (from 1, in file order) and c0, c1, … as VARCHAR."""

    source: str
    columns: tuple[str, ...]
    """The file's names of c0, c1, …"""
    rows: int
    content_hash: str
    """SHA-256 of the unpacked content."""
    unit: str
    """What a reader of the file calls a row: `line`, `data row`, `event`."""
    first: int
    """The number of the first row in that unit."""
    notes: tuple[str, ...]

    def place(self, row: int) -> str:
        """Where a row stands, such as `orders.csv, line 13`."""
        return f"{self.source}, {self.unit} {row - 1 + self.first}"

    def column(self, name: str) -> str:
        """The staging table's column for one of the file's names."""
        return f"c{self.columns.index(name)}"

    def json(self, names: tuple[str, ...]) -> str:
        """SQL for these columns of a staged row as JSON text."""
        pairs = ", ".join("'" + name.replace("'", "''") + "', staging." + self.column(name) for name in names)
        return f"json_object({pairs})::VARCHAR"
