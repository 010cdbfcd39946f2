"""The open orders of a log at an instant: what is done, what is being done, and what is known to come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from duckdb import DuckDBPyConnection

from eventlogs import closing as closings
from eventlogs.closing import ClosingRule
from eventlogs.freezing import freeze
from eventlogs.instants import from_us, to_us, zoned
from eventlogs.keeping.reading import one_moment
from eventlogs.live.open_cases import NOW_QUERIES, THEN_QUERIES, open_now, open_then
from eventlogs.live.recorded import NOW, Record, last_instant, record
from eventlogs.live.rules import keep_rule, kept_rule, rule_used
from eventlogs.live.standing import forget_at_hand, stand, take_at_hand
from metagraph.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Work:
    """One execution of an open order."""

    activity: str
    resource: str | None
    start: datetime
    end: datetime | None
    """None: in progress."""


@dataclass(frozen=True, slots=True)
class Eta:
    """When an activity of an order is expected to be done, as last told."""

    activity: str
    eta: datetime
    told: datetime


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open order."""

    case: str
    done: tuple[Work, ...]
    """In order of completion."""
    in_progress: tuple[Work, ...]
    elapsed_s: tuple[float, ...]
    """Of what is in progress, by the clock."""
    waiting_since: datetime | None
    """Since when nothing was in progress; None while something is."""
    attributes: Mapping[str, str]
    etas: tuple[Eta, ...]


@dataclass(frozen=True, slots=True)
class LogState:
    """All open orders at `at`, as tables; `cases` gives them one by one. Instants are UTC."""

    log: str
    at: datetime
    recorded_by: datetime | None
    """Events received later were left out; None: none were."""
    closing: ClosingRule
    """How open orders were told."""
    orders: pa.Table
    """case, first, last, waiting_since (null while something is in progress), by first event."""
    work: pa.Table
    """case, activity, resource, start, end (null: in progress); by order, completion, start."""
    attributes: pa.Table
    """case, name, value."""
    etas: pa.Table
    """case, activity, eta, told: the latest of each activity."""

    def cases(self) -> Iterator[OpenCase]:
        """The open orders by their first event."""
        work, attributes, etas = (_by_case(t) for t in (self.work, self.attributes, self.etas))
        for order in self.orders.to_pylist():
            case = order["case"]
            told = [Work(**row) for row in work.get(case, ())]
            running = tuple(one for one in told if one.end is None)
            yield OpenCase(
                case,
                tuple(one for one in told if one.end is not None),
                running,
                tuple((self.at - one.start) / timedelta(seconds=1) for one in running),
                order["waiting_since"],
                {row["name"]: row["value"] for row in attributes.get(case, ())},
                tuple(Eta(**row) for row in etas.get(case, ())),
            )


def _by_case(table: pa.Table) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        rows.setdefault(row.pop("case"), []).append(row)
    return rows


def state_at(
    con: DuckDBPyConnection,
    log: str,
    at: datetime | None,
    closing: ClosingRule | None,
    recorded_by: datetime | None,
) -> tuple[LogState, bool]:
    """The state at `at` (default: the last event on record), by `closing` or a rule fitted to the log then.

    From what is kept, if it serves; the second value tells that `keep_at_hand` would make it serve the next
    time. Raises DataError when nothing had begun by then, UsageError for an instant without a zone.
    """
    with one_moment(con):
        return _state_at(con, log, at, closing, recorded_by)


def _state_at(
    con: DuckDBPyConnection,
    log: str,
    at: datetime | None,
    closing: ClosingRule | None,
    recorded_by: datetime | None,
) -> tuple[LogState, bool]:
    known = record(con, log, recorded_by)
    newest = _newest(con, log) if known is NOW and rule_used(con, log) else last_instant(con, log, known)
    if newest is None:
        raise DataError(f"log {log!r} had no task execution yet; ask for its state when it has")
    at = zoned(at) if at else newest
    at_us = to_us(at)
    if known is NOW and at >= newest:
        kept = kept_rule(con, log)
        rule = closing or kept or _fitted(con, log, newest, known)
        if rule_used(con, log):
            open_now(con, log, rule, at_us)
        else:
            open_then(con, log, rule, at_us, known)
        complete = not con.execute("SELECT count(*) FROM open_cases WHERE NOT at_hand").fetchall()[0][0]
        wanted = _writable(con) and not (complete and (kept or closing))
        queries = NOW_QUERIES if complete else THEN_QUERIES
    else:
        rule = closing or _fitted(con, log, at, known)
        open_then(con, log, rule, at_us, known)
        wanted, queries = False, THEN_QUERIES
    tables = {name: _table(con, query, log, at_us, known) for name, query in queries.items()}
    return LogState(log, from_us(at_us), recorded_by, rule, **tables), wanted


def keep_at_hand(con: DuckDBPyConnection, state: LogState, *, fitted: bool) -> None:
    """Have what is known of a state's open cases at hand, and its rule if it was `fitted`, for the next one.

    Where the log's cases stand is noted too, if it isn't yet.

    To be called inside a transaction.
    """
    if rule_used(con, state.log) is None:
        stand(con, state.log)
    outgrown = fitted and kept_rule(con, state.log) is None
    if outgrown or rule_used(con, state.log) != state.closing:
        keep_rule(con, state.log, state.closing, fitted=fitted)
        forget_at_hand(con, state.log)
    con.register("open_orders", state.orders)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE coming AS SELECT log, case_id FROM case_state c JOIN open_orders o "
        'ON o."case" = c.case_id WHERE c.log = ? AND NOT c.at_hand',
        [state.log],
    )
    con.unregister("open_orders")
    take_at_hand(con)


def _table(con: DuckDBPyConnection, query: str, log: str, at_us: int, known: Record) -> pa.Table:
    text = query.format(executions=known.executions, attributes=known.attributes, by=known.by_us)
    used = {name: value for name, value in (("log", log), ("at", at_us)) if f"${name}" in text}
    return con.sql(text, params=used).to_arrow_table()


def _writable(con: DuckDBPyConnection) -> bool:
    mode = con.execute("SELECT current_setting('access_mode')").fetchall()[0][0]
    return str(mode).lower() != "read_only"


def _newest(con: DuckDBPyConnection, log: str) -> datetime | None:
    found = con.execute("SELECT max(last_us) FROM case_state WHERE log = ?", [log]).fetchall()
    return None if found[0][0] is None else from_us(found[0][0])


def _fitted(con: DuckDBPyConnection, log: str, at: datetime, known: Record) -> ClosingRule:
    return closings.fit(freeze(con, log, at, single_timestamp=False, record=known))
