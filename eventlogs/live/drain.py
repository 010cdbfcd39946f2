"""From the inbox into the database: a batch of events, one transaction, with the inbox's position in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
from duckdb import DuckDBPyConnection

from eventlogs.live.events import LiveEvent, UnreadableError, read_event
from eventlogs.live.executions import clear, derive, store
from eventlogs.live.inbox import Inbox, InboxRow, inbox_path
from eventlogs.live.standing import restand
from metagraph.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 20_000
_NUMBERS = ("at_us", "sequence", "eta_us", "arrival", "recorded_us", "inbox_id")
REFUSED = (duckdb.DataError, duckdb.IntegrityError, duckdb.InvalidInputException)
"""What the database says of values that it can't work with."""
Transaction = Callable[[], AbstractContextManager[None]]
_NAMES = (
    *("source", "event_id", "log", "case_id", "activity", "transition", "resource", "instance"),
    *("at_us", "sequence", "eta_us", "arrival", "recorded_us", "attributes", "corrects"),
)
_ASIDE = ("inbox_id", "log", "reason", "raw", "recorded_us")


@dataclass(frozen=True, slots=True)
class Drained:
    """What one batch did: read = applied + known + quarantined."""

    read: int
    applied: int
    known: int
    """Were in the database already: the inbox's file had been replaced by an older one."""
    quarantined: int
    cases: int
    """Whose executions were made anew."""
    pending: int
    """Events that wait in the inbox still."""


NOTHING = Drained(0, 0, 0, 0, 0, 0)


def drain_beside(
    con: DuckDBPyConnection, database: str, transaction: Transaction, limit: int = BATCH
) -> Drained:
    """Apply the next events of the inbox beside a database's file, if there is one.

    Events that the database refuses for a reason nobody thought of are found by halving the batch and set
    aside, so that they block nobody.
    """
    path = inbox_path(database)
    if limit < 1:
        raise UsageError(f"a batch of {limit} events can't be drained; give 1 or more")
    if not path.exists():
        return NOTHING
    with Inbox(path) as inbox:
        if not inbox.pending(position(con, inbox)):
            return NOTHING
        try:
            with transaction():
                done = drain(con, inbox, limit)
        except REFUSED as error:
            if limit > 1:
                return drain_beside(con, database, transaction, (limit + 1) // 2)
            with transaction():
                done = drain(con, inbox, 1, refused=str(error).splitlines()[0])
        inbox.forget(position(con, inbox))
    return done


def waiting_beside(con: DuckDBPyConnection, database: str) -> int:
    """How many events of the inbox beside a database's file are not applied yet."""
    path = inbox_path(database)
    if not path.exists():
        return 0
    with Inbox(path) as inbox:
        return inbox.pending(position(con, inbox))


def drain(con: DuckDBPyConnection, inbox: Inbox, limit: int = BATCH, refused: str | None = None) -> Drained:
    """Apply the next events of the inbox, at most `limit`, inside the caller's transaction.

    Each is applied exactly once, whatever is killed in between: the position goes with the events. The
    caller gives the position back to `Inbox.forget` when the transaction has reached the disk. With
    `refused`, a reason, the events are set aside for it.
    """
    before = position(con, inbox)
    rows = inbox.after(before, limit)
    if not rows:
        return NOTHING
    good, bad = _read(rows, refused)
    applied = _insert(con, good)
    _set_aside(con, bad)
    cases = 0
    if good:
        _open_logs(con)
        _correct(con)
        derive(con)
        store(con)
        cases = int(con.execute("SELECT count(*) FROM affected").fetchall()[0][0])
        restand(con)
        clear(con)
        con.execute("DROP TABLE temp.arrived")
    con.execute("DELETE FROM inbox_position WHERE inbox = ?", [inbox.identity])
    con.execute("INSERT INTO inbox_position VALUES (?, ?)", [inbox.identity, rows[-1].id])
    return Drained(len(rows), applied, len(good) - applied, len(bad), cases, inbox.pending(rows[-1].id))


def position(con: DuckDBPyConnection, inbox: Inbox) -> int:
    """Number of the last event of this inbox whose effect is in the database; 0 for none."""
    found = con.execute("SELECT position FROM inbox_position WHERE inbox = ?", [inbox.identity]).fetchall()
    return int(found[0][0]) if found else 0


def _read(
    rows: Sequence[InboxRow], refused: str | None
) -> tuple[list[tuple[InboxRow, LiveEvent]], list[tuple[int, str, str, str, int]]]:
    good, bad = [], []
    for row in rows:
        try:
            if refused is not None:
                raise UnreadableError(refused)
            good.append((row, read_event(row.body, row.event_id, row.log, row.recorded_us)))
        except UnreadableError as why:
            bad.append((row.id, row.log, str(why), row.body, row.recorded_us))
    return good, bad


def _insert(con: DuckDBPyConnection, events: Sequence[tuple[InboxRow, LiveEvent]]) -> int:
    """Append the events that aren't there yet, by source and id; temp table `arrived` holds all of them."""
    if not events:
        return 0
    # On from the last one, not as the inbox counts: that may be a new one.
    before = con.execute("SELECT coalesce(max(arrival), 0) FROM live_events").fetchall()[0][0]
    values = [
        (
            *(row.source, row.event_id, e.log, e.case, e.activity, e.transition, e.resource, e.instance),
            *(e.at_us, e.sequence, e.eta_us, arrival, row.recorded_us, e.attributes, e.corrects),
        )
        for arrival, (row, e) in enumerate(events, start=before + 1)
    ]
    con.register("offered", _table(_NAMES, values))
    names = ", ".join(_NAMES)
    con.execute(f"CREATE OR REPLACE TEMP TABLE arrived AS SELECT {names} FROM offered")
    con.unregister("offered")
    return int(
        con.execute(
            f"INSERT INTO live_events ({names}) SELECT {names} FROM arrived ON CONFLICT DO NOTHING"
        ).fetchall()[0][0]
    )


def _set_aside(con: DuckDBPyConnection, events: Sequence[tuple[int, str, str, str, int]]) -> None:
    if events:
        con.register("aside", _table(_ASIDE, events))
        con.execute("INSERT INTO live_quarantine BY NAME FROM aside")
        con.unregister("aside")


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> pa.Table:
    import pyarrow as pa

    types = [pa.int64() if name in _NUMBERS else pa.string() for name in names]
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
    return pa.table(columns, names=list(names))


def _open_logs(con: DuckDBPyConnection) -> None:
    """A log's first live event gives the log its row for live executions."""
    con.execute(
        "INSERT INTO uploads (log, source, content_hash, options, parser_version, report, superseded, "
        "imported_at, kind) SELECT log, 'live events', '', '{}', 0, '', false, "
        "make_timestamptz(min(recorded_us)), 'live' FROM arrived a "
        "ANTI JOIN (FROM uploads WHERE kind = 'live') u ON u.log = a.log GROUP BY log ORDER BY log"
    )


def _correct(con: DuckDBPyConnection) -> None:
    """Supersede what corrections name, whichever came first; of several the one received last counts.

    Leaves temp table `affected` with the cases of everything that arrived or was superseded.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE corrections AS SELECT c.source, c.event_id, c.corrects, c.arrival, "
        "c.recorded_us FROM live_events c WHERE c.corrects IS NOT NULL AND ((c.source, c.corrects) IN "
        "(SELECT (source, event_id) FROM arrived) OR (c.source, c.corrects) IN "
        "(SELECT (source, corrects) FROM arrived WHERE corrects IS NOT NULL))"
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE superseding AS
        SELECT source, event_id, min(by_us) AS by_us FROM (
            SELECT source, corrects AS event_id, recorded_us AS by_us FROM corrections
            UNION ALL
            SELECT source, event_id, lead(recorded_us) OVER (PARTITION BY source, corrects ORDER BY arrival)
            FROM corrections
        ) WHERE by_us IS NOT NULL GROUP BY source, event_id
        """
    )
    con.execute(
        "UPDATE live_events e SET superseded_us = greatest(e.recorded_us, s.by_us) FROM superseding s "
        "WHERE e.source = s.source AND e.event_id = s.event_id AND e.superseded_us IS NULL"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE affected AS SELECT log, case_id FROM arrived UNION SELECT log, case_id "
        "FROM live_events e JOIN superseding s ON s.source = e.source AND s.event_id = e.event_id"
    )
    for table in ("corrections", "superseding"):
        con.execute(f"DROP TABLE temp.{table}")
