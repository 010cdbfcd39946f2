"""Activity sequences of cases, with how many cases share them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from duckdb import DuckDBPyConnection

from eventlogs.mining.selection import END_ORDER, LAST_US, Selection
from eventlogs.mining.statistics import seconds

if TYPE_CHECKING:
    import pyarrow as pa

    from eventlogs.snapshot import Snapshot


def variant_table(con: DuckDBPyConnection, selection: Selection) -> pa.Table:
    """Activities of cases in order of ends: activities (a list), length, cases, share, covered (share of
    this variant and of all before it), and the cycle time's mean, median, 90 % quantile and extremes.

    Most frequent first, then by name. A case in which something runs counts with what it has, and has no
    cycle time yet.
    """
    # Numbers in the order of the names cost half as much to collect and to compare as the names.
    return selection.ask(
        con,
        "SELECT list_transform(trace, lambda code: names[code]) AS activities, * EXCLUDE (trace, names) FROM "
        "(SELECT trace, len(trace) AS length, count(*) AS cases, count(*) / sum(count(*)) OVER () AS share, "
        "sum(count(*)) OVER (ORDER BY count(*) DESC, trace ROWS UNBOUNDED PRECEDING) / sum(count(*)) OVER () "
        f"AS covered, {seconds('cycle_us', 'cycle')} FROM traces GROUP BY trace), "
        "(SELECT list(activity ORDER BY code) AS names FROM codes) ORDER BY cases DESC, trace",
        "codes AS MATERIALIZED (SELECT activity, row_number() OVER (ORDER BY activity)::UINTEGER AS code "
        "FROM "
        "(SELECT DISTINCT activity FROM executions))",
        f"traces AS NOT MATERIALIZED (SELECT list(code ORDER BY {END_ORDER}) AS trace, CASE WHEN "
        f"count(end_us) = count(*) THEN max({LAST_US}) - min(start_us) END AS cycle_us "
        "FROM executions JOIN codes USING (activity) GROUP BY case_id)",
    )


def variants(snapshot: Snapshot, *, by_start: bool = False) -> list[tuple[tuple[str, ...], int]]:
    """Activities of each closed case in the snapshot's order of rows, which is that of ends, or in that of
    starts; most frequent first, then by name."""
    names = sorted(snapshot.activities)
    place = {name: i for i, name in enumerate(names)}
    # Big-endian places of the names: their bytes are in the order of the names.
    codes = np.array([place[name] for name in snapshot.activities], ">u4")[snapshot.activity]
    if by_start:
        # Of those that start at one instant, what takes no time comes first, then the last one to end: they
        # overlap, and their ends say the opposite.
        end_s = np.where(np.isnan(snapshot.end_s), np.inf, snapshot.end_s)
        longest = np.where(end_s > snapshot.start_s, -end_s, -np.inf)
        codes = codes[np.lexsort((longest, snapshot.start_s, snapshot.case_of_row()))]
    found: Counter[bytes] = Counter()
    for (first, last), is_open in zip(pairwise(snapshot.offsets.tolist()), snapshot.is_open, strict=True):
        if not is_open and first < last:
            found[codes[first:last].tobytes()] += 1
    ranked = sorted(found.items(), key=lambda variant: (-variant[1], variant[0]))
    return [(tuple(names[i] for i in np.frombuffer(trace, ">u4").tolist()), n) for trace, n in ranked]
