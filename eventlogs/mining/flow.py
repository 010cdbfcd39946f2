"""Cases in time: when they arrive, how many are in process, how long they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from eventlogs.mining.durations import check_case_attribute
from eventlogs.mining.periods import PERIODS, check_periods, instant, periods
from eventlogs.mining.selection import LAST_US, Selection
from eventlogs.mining.statistics import spread

if TYPE_CHECKING:
    import pyarrow as pa

LOG = "log"
MOST_DOTS = 5_000
CASES = (
    f"cases AS (SELECT case_id, min(start_us) AS first_us, max({LAST_US}) AS last_us, count(*) AS "
    "executions, "
    "count(*) - count(end_us) AS running FROM executions GROUP BY case_id)"
)
"""Step `cases`: one row a case."""
CYCLE_US = "CASE WHEN running = 0 THEN last_us - first_us END"
"""A case in which something runs has no cycle time yet."""


def cases(con: DuckDBPyConnection, selection: Selection) -> pa.Table:
    """One row a case, by its first start: case_id, first, last, cycle_s (none while something runs),
    executions, running."""
    return selection.ask(
        con,
        f"SELECT case_id, {instant('first_us')} AS first, {instant('last_us')} AS last, {CYCLE_US} / 1e6 AS "
        "cycle_s, executions, running FROM cases ORDER BY first_us, case_id",
        CASES,
    )


def cycle_times(con: DuckDBPyConnection, selection: Selection, by: str = LOG, zone: str = "UTC") -> pa.Table:
    """From a case's first start to its last end, over the whole log, per value of a case attribute, or per
    period of arrival: cases, running (cases in which something runs, which have no cycle time yet), and the
    cycle time's mean, sd, quantiles, extremes and sum. Raises UsageError for an unknown attribute.
    """
    statistics = (
        f"count(*) AS cases, count_if(running > 0) AS running, {spread(CYCLE_US, 'cycle')} FROM cases"
    )
    if by == LOG:
        return selection.ask(con, f"SELECT {statistics}", CASES)
    if by in PERIODS:
        check_periods(con, selection, by)
        return selection.ask(
            con,
            f"SELECT {instant('from_us')} AS period, {statistics} ASOF JOIN periods ON first_us >= from_us "
            "GROUP BY from_us ORDER BY from_us",
            CASES,
            periods(by),
            parameters={"zone": zone},
        )
    check_case_attribute(con, selection, by)
    named = '"' + by.replace('"', '""') + '"'
    return selection.ask(
        con,
        f"SELECT value AS {named}, {statistics} LEFT JOIN valued USING (case_id) GROUP BY value "
        "ORDER BY value NULLS LAST",
        CASES,
        "valued AS (SELECT case_id, value FROM log_attributes WHERE log = $log AND name = $by)",
        parameters={"by": by},
    )


def arrivals(con: DuckDBPyConnection, selection: Selection, by: str = "day", zone: str = "UTC") -> pa.Table:
    """First starts of cases per period, none left out: period (its start), arrivals, mean_gap_s (from the
    arrival before, also where that was in an earlier period)."""
    check_periods(con, selection, by)
    return selection.ask(
        con,
        f"SELECT {instant('p.from_us')} AS period, coalesce(arrivals, 0) AS arrivals, mean_gap_s FROM "
        "periods p "
        "LEFT JOIN counted USING (from_us) WHERE p.from_us <= (SELECT max(first_us) FROM cases) "
        "ORDER BY p.from_us",
        CASES,
        periods(by),
        "counted AS (SELECT from_us, count(*) AS arrivals, avg(gap_us) / 1e6 AS mean_gap_s FROM (SELECT "
        "first_us, first_us - lag(first_us) OVER (ORDER BY first_us) AS gap_us FROM cases) ASOF JOIN periods "
        "ON first_us >= from_us GROUP BY from_us)",
        parameters={"zone": zone},
    )


def throughput(con: DuckDBPyConnection, selection: Selection, by: str = "day", zone: str = "UTC") -> pa.Table:
    """Per period, none left out: period (its start), arrivals, completions, and wip, the cases in process at
    its end.

    A case is complete with its last end, unless something runs. (Which cases of a log are really open is the
    closing rule's matter; see docs/mining.md.)
    """
    check_periods(con, selection, by)
    return selection.ask(
        con,
        f"SELECT {instant('from_us')} AS period, coalesce(arrivals, 0) AS arrivals, coalesce(completions, 0) "
        "AS completions, (sum(coalesce(arrivals, 0) - coalesce(completions, 0)) OVER (ORDER BY from_us))"
        "::BIGINT AS wip FROM periods LEFT JOIN arrived USING (from_us) LEFT JOIN completed USING (from_us) "
        "ORDER BY from_us",
        CASES,
        periods(by),
        "arrived AS (SELECT from_us, count(*) AS arrivals FROM cases ASOF JOIN periods ON first_us >= "
        "from_us "
        "GROUP BY from_us)",
        "completed AS (SELECT from_us, count(*) AS completions FROM (FROM cases WHERE running = 0) ASOF JOIN "
        "periods ON last_us >= from_us GROUP BY from_us)",
        parameters={"zone": zone},
    )


def dotted(con: DuckDBPyConnection, selection: Selection) -> pa.Table:
    """Executions of whole cases, at most 5,000: case_id, place (of the case by its first start, from 1),
    activity, resource, start, end.

    Where the log has more, cases are drawn evenly by a hash of their ids: the same ones every time.
    """
    return selection.ask(
        con,
        f"SELECT case_id, place, activity, resource, {instant('start_us')} AS start, {instant('end_us')} AS "
        '"end" FROM executions JOIN drawn USING (case_id) ORDER BY place, start_us, end_us NULLS LAST, '
        f"sequence, row LIMIT {MOST_DOTS}",
        CASES,
        "placed AS (SELECT case_id, executions, row_number() OVER (ORDER BY first_us, case_id) AS place "
        "FROM cases)",
        "drawing AS (SELECT case_id, place, sum(executions) OVER (ORDER BY md5(case_id), case_id ROWS "
        "UNBOUNDED PRECEDING) AS so_far, row_number() OVER (ORDER BY md5(case_id), case_id) AS nth FROM "
        "placed)",
        # One case alone may be longer: then its first executions are shown.
        f"drawn AS (SELECT case_id, place FROM drawing WHERE so_far <= {MOST_DOTS} OR nth = 1)",
    )


def summary(con: DuckDBPyConnection, selection: Selection) -> pa.Table:
    """One row: cases, executions, running, activities, resources, first, last, mean_arrival_gap_s,
    mean_cycle_s, median_cycle_s."""
    return selection.ask(
        con,
        "SELECT cases, executions, running, activities, resources, first, last, mean_arrival_gap_s, "
        "mean_cycle_s, median_cycle_s FROM (SELECT count(*) AS executions, count(*) - count(end_us) AS "
        "running, "
        "count(DISTINCT activity) AS activities, count(DISTINCT resource) AS resources, "
        f"{instant('min(start_us)')} AS first, {instant(f'max({LAST_US})')} AS last FROM executions), "
        "(SELECT count(*) AS cases, (max(first_us) - min(first_us)) / nullif(count(*) - 1, 0) / 1e6 AS "
        f"mean_arrival_gap_s, avg({CYCLE_US}) / 1e6 AS mean_cycle_s, quantile_cont({CYCLE_US}, 0.5) / 1e6 AS "
        "median_cycle_s FROM cases)",
        CASES,
    )
