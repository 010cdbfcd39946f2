"""Columns of starts and ends that are taken for each other."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from eventlogs.readers.staging import Staged
from eventlogs.sql import quoted
from eventlogs.taking.columns import ColumnMapping
from eventlogs.taking.parsing import BACKWARDS
from metagraph.errors import DataError

FEWEST, SHARE = 10, 0.9
"""Rows that end before they start, and their share of those with two times, from which it is no slip."""


class ExchangedError(DataError):
    """Nearly all rows end before they start."""


def refuse_exchanged(con: DuckDBPyConnection, staged: Staged, mapping: ColumnMapping) -> None:
    """Raise ExchangedError if nearly all rows of `parsed` whose two times differ end before they start.

    To set them aside would keep the few that are wrong.
    """
    if mapping.start is None or mapping.end is None:
        return
    both, backwards = con.execute(
        f"SELECT count(*), count(*) FILTER (reason = {quoted(BACKWARDS)}) FROM parsed "
        "WHERE start_us <> end_us AND NOT unstarted"
    ).fetchall()[0]
    if backwards >= FEWEST and backwards >= SHARE * both:
        raise ExchangedError(
            f"{staged.source}: in {backwards:,} of {both:,} rows with two different times the end in "
            f"{mapping.end!r} lies before the start in {mapping.start!r}, so these columns seem to be "
            f"exchanged; say which is which with --map start={mapping.end},end={mapping.start}, or mend them"
        )
