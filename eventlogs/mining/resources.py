"""Who hands work to whom, and who is how busy when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from eventlogs.mining.follows import pairs
from eventlogs.mining.periods import check_periods, instant, periods
from eventlogs.mining.selection import END_ORDER, LAST_US, Selection
from eventlogs.mining.statistics import seconds

if TYPE_CHECKING:
    import pyarrow as pa

HOUR_OF_WEEK = "hour_of_week"


def handovers(con: DuckDBPyConnection, selection: Selection) -> pa.Table:
    """Executions directly after each other in a case, by end: resource, next_resource, count, and the time
    from the one's end to the other's start (negative where they overlap).

    A resource may hand over to itself; executions without a resource are rows with none.
    """
    return selection.ask(
        con,
        "SELECT resource, next_resource, count(*) AS count, "
        f"{seconds('next_start_us - end_us', 'end_to_start')} FROM pairs WHERE next_start_us IS NOT NULL "
        "GROUP BY resource, next_resource ORDER BY count DESC, resource NULLS LAST, next_resource NULLS LAST",
        pairs(END_ORDER, "resource"),
    )


def workload(con: DuckDBPyConnection, selection: Selection, by: str = "day", zone: str = "UTC") -> pa.Table:
    """What each resource did in each period (its start): started, completed, busy_s (time of executions in
    the period, each counted in full), worked_s (time with at least one), most_at_once.

    `hour_of_week` instead gives all resources together: weekday (0: Monday), hour, started, completed,
    busy_s, observed_s (how long the log saw that hour) and in_progress = busy_s / observed_s. A running
    execution lasts to the log's last instant; suspended time counts as busy. Rows without anything are left
    out.
    """
    of_week = by == HOUR_OF_WEEK
    check_periods(con, selection, "hour" if of_week else by)
    steps = (periods("hour" if of_week else by), *_sweep("NULL::VARCHAR" if of_week else "resource"))
    if of_week:
        query = (
            "SELECT isodow(local) - 1 AS weekday, hour(local) AS hour, sum(started)::BIGINT AS started, "
            "sum(completed)::BIGINT AS completed, sum(busy_us) / 1e6 AS busy_s, sum(to_us - from_us) / 1e6 "
            "AS "
            "observed_s, sum(busy_us) / sum(to_us - from_us) AS in_progress FROM worked JOIN periods USING "
            "(from_us) GROUP BY ALL ORDER BY weekday, hour"
        )
    else:
        query = (
            f"SELECT {instant('from_us')} AS period, resource, started, completed, busy_us / 1e6 AS busy_s, "
            "worked_us / 1e6 AS worked_s, most_at_once FROM worked WHERE started + completed + busy_us > 0 "
            "ORDER BY from_us, resource NULLS LAST"
        )
    return selection.ask(con, query, *steps, parameters={"zone": zone})


def _sweep(who: str) -> tuple[str, ...]:
    """Step `worked`: per `who` and period, from all instants at which its work or the period changes."""
    last = f"(SELECT max({LAST_US}) FROM executions)"
    return (
        # At one instant: first the new period, then what ends, then what starts.
        f"points AS (SELECT {who} AS resource, start_us AS at_us, 2 AS turn, NULL AS from_us, 1 AS step, "
        "1 AS started, 0 AS completed FROM executions UNION ALL "
        f"SELECT {who}, greatest(start_us, coalesce(end_us, {last})), 1, NULL, -1, 0, "
        "(end_us IS NOT NULL)::INTEGER FROM executions UNION ALL "
        "SELECT resource, from_us, 0, from_us, 0, 0, 0 FROM periods JOIN (SELECT "
        f"{who} AS resource, min(start_us) AS first_us, max(coalesce(end_us, {last})) AS last_us "
        "FROM executions GROUP BY 1) ON from_us <= last_us AND to_us > first_us)",
        "sweep AS (SELECT resource, started, completed, max(from_us) OVER so_far AS from_us, sum(step) OVER "
        "so_far AS level, lead(at_us, 1, at_us) OVER next - at_us AS lasts_us FROM points WINDOW next AS "
        "(PARTITION BY resource ORDER BY at_us, turn), so_far AS (PARTITION BY resource ORDER BY at_us, turn "
        "ROWS UNBOUNDED PRECEDING))",
        "worked AS (SELECT resource, from_us, sum(started)::BIGINT AS started, sum(completed)::BIGINT AS "
        "completed, sum(level * lasts_us)::BIGINT AS busy_us, coalesce(sum(lasts_us) FILTER (level > 0), 0)"
        "::BIGINT AS worked_us, greatest(max(level), 0)::BIGINT AS most_at_once FROM sweep "
        "GROUP BY resource, from_us)",
    )
