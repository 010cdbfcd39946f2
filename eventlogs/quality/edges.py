"""Checks of the log's two ends: cases that had begun before it, and cases that go on after it."""

from __future__ import annotations

from heapq import nsmallest

from duckdb import DuckDBPyConnection

from eventlogs import closing
from eventlogs.closing import LONGEST
from eventlogs.freezing import freeze
from eventlogs.instants import from_us
from eventlogs.live.recorded import Record
from eventlogs.quality.found import MOST_EXAMPLES, Example, Found, Known, counted, one_row

USUAL = 0.05
"""An activity with which at least this share of the cases begin is a usual start."""
ENOUGH = 20
"""Cases after the log's first part from which the usual starts are learned."""
LONG = 0.9
"""The first part lasts as long as this share of the cases, and half of the log at most."""
SIGMAS = 3.0
SAMPLE = 1_000_000
"""Executions from which the closing rule is learned."""
_BATCH = 50_000


def begun_before(con: DuckDBPyConnection, known: Known) -> Found:
    """Cases near the log's start whose first event is no usual start, if there are more than later on."""
    (span,) = one_row(con, f"SELECT quantile_cont(last_us - first_us, {LONG}) FROM known_cases")
    edge = known.first_us + min(int(span), (known.until_us - known.first_us) // 2)
    (later,) = one_row(con, f"SELECT count(*) FROM known_cases WHERE first_us > {edge}")
    scope = f"first_us > {edge}" if later >= ENOUGH else "true"
    usual = (
        f"SELECT first_activity FROM known_cases WHERE {scope} GROUP BY first_activity "
        f"HAVING count(*) >= {USUAL} * (SELECT count(*) FROM known_cases WHERE {scope})"
    )
    odd = f"first_activity NOT IN ({usual})"
    found = counted(
        con,
        "SELECT case_id, first_activity AS activity, first_us AS at_us, first_row AS row, '' AS note, "
        f"1 AS weight FROM known_cases WHERE first_us <= {edge} AND {odd}",
        known.cases,
    )
    (later_odd,) = one_row(con, f"SELECT count(*) FROM known_cases WHERE first_us > {edge} AND {odd}")
    early = known.cases - later
    expected = early * later_odd / later if later >= ENOUGH else 0.0
    return found if found.count > expected + SIGMAS * expected**0.5 else Found(0, known.cases)


def unfinished(con: DuckDBPyConnection, known: Known) -> Found:
    """Cases that the closing rule takes to be open at the log's end.

    The rule is learned from all cases, or, above SAMPLE executions, from as many as hold about so many.
    """
    one_in = -(-known.executions // SAMPLE)
    con.execute(
        "CREATE OR REPLACE TEMP VIEW sampled AS SELECT * FROM log_executions "
        f"WHERE hash(case_id) % {one_in} = 0"
    )
    until = from_us(known.until_us)
    rule = closing.fit(freeze(con, known.log, until, single_timestamp=False, record=Record("sampled")))
    con.execute("DROP VIEW sampled")
    # Ranks, not max_by of the last few: those it would hold for all cases in memory, whatever its limit.
    last = ", ".join(f"max(activity) FILTER (nth = {n})" for n in range(LONGEST, 0, -1))
    cursor = con.execute(
        f"""
        SELECT last_us, case_id, activities, row, ({known.until_us} - last_us) / 1e6, running
        FROM known_cases JOIN (
            SELECT case_id, max(row) FILTER (nth = 1) AS row,
                list_filter([{last}], lambda a: a IS NOT NULL) AS activities
            FROM (
                SELECT case_id, activity, row, row_number() OVER (
                    PARTITION BY case_id ORDER BY end_us DESC NULLS FIRST, start_us DESC, place DESC
                ) AS nth
                FROM known
            ) GROUP BY case_id
        ) USING (case_id)
        """
    )
    count = 0
    earliest: list[tuple[int, str, str, int]] = []
    while rows := cursor.fetchmany(_BATCH):
        found = [
            (at, case, last[-1], row)
            for at, case, last, row, idle_s, running in rows
            if rule.is_open(last, idle_s, running)
        ]
        count += len(found)
        earliest = nsmallest(MOST_EXAMPLES, [*earliest, *found])
    examples = (Example(case, what, from_us(at), row, "last seen") for at, case, what, row in earliest)
    return Found(count, known.cases, tuple(examples))
