"""The open orders of a log at an instant: what is done, what is being done, and what is known to come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from duckdb import DuckDBPyConnection

from eventlogs import closing as closings
from eventlogs.closing import ClosingRule
from eventlogs.freezing import freeze
from eventlogs.instants import from_us, in_words, monday, to_us, zoned
from eventlogs.live.recorded import NOW, Record, last_instant, record
from eventlogs.live.standing import standings
from metagraph.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_GROWTH = 1.2
"""A closing rule is fitted anew when a log has so many times the cases it had."""


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
) -> LogState:
    """The state at `at` (default: the last event on record), by `closing` or a rule fitted to the log then.

    From the standings that are kept, if they serve. Raises DataError when nothing had begun by then,
    UsageError for an instant without a zone.
    """
    known = record(con, log, recorded_by)
    newest = _newest(con, log) if known is NOW else last_instant(con, log, known)
    if newest is None:
        raise DataError(f"log {log!r} had no task execution yet; ask for its state when it has")
    at = zoned(at) if at else newest
    at_us = to_us(at)
    if known is NOW and at >= newest:
        cases, endings = f"(FROM case_state WHERE log = {_text(log)})", "endings"
        rule = closing or _kept_rule(con, log) or _fitted(con, log, newest, known)
    else:
        cases, endings = _stand(con, log, at_us, known)
        rule = closing or _fitted(con, log, at, known)
    _open(con, cases, endings, rule, at_us)
    tables = {name: _table(con, query, log, at_us, known) for name, query in _QUERIES.items()}
    for table in ("open_cases", "standing", "standing_endings"):
        con.execute(f"DROP TABLE IF EXISTS temp.{table}")
    return LogState(log, from_us(at_us), recorded_by, rule, **tables)


def wants_rule(con: DuckDBPyConnection, log: str) -> bool:
    """Whether the log has no closing rule kept, or grew a lot since it was, and the file can be written."""
    newest = _newest(con, log)
    mode = con.execute("SELECT current_setting('access_mode')").fetchall()[0][0]
    return newest is not None and mode.lower() != "read_only" and _kept_rule(con, log) is None


def keep_rule(con: DuckDBPyConnection, log: str) -> None:
    """Fit a closing rule to the log as it is now and keep it, inside the caller's transaction."""
    newest = _newest(con, log)
    if newest is None:
        return
    rule = _fitted(con, log, newest, NOW)
    con.execute("DELETE FROM closing_rules WHERE log = ?", [log])
    con.execute(
        "INSERT INTO closing_rules SELECT ?, ?, count(*) FROM case_state WHERE log = ?",
        [log, json.dumps(_rule_to(rule)), log],
    )


_KNOWN_END = "CASE WHEN end_us <= $at THEN end_us END"
_QUERIES = {
    "orders": """
        SELECT case_id AS "case", make_timestamptz(first_us) AS first, make_timestamptz(last_us) AS last,
            CASE WHEN running = 0 THEN make_timestamptz(last_us) END AS waiting_since
        FROM open_cases ORDER BY first_us, case_id
    """,
    "work": f"""
        SELECT e.case_id AS "case", activity, resource, make_timestamptz(start_us) AS start,
            make_timestamptz({_KNOWN_END}) AS "end"
        FROM {{executions}} e JOIN open_cases o ON o.case_id = e.case_id
        WHERE e.log = $log AND start_us <= $at AND start_us >= (SELECT min(first_us) FROM open_cases)
        ORDER BY first_us, e.case_id, {_KNOWN_END} NULLS LAST, start_us, sequence, row
    """,
    "attributes": """
        WITH told AS (
            SELECT a.case_id, a.name, a.value, NULL AS since
            FROM case_attributes a JOIN uploads u ON u.id = a.upload_id
            SEMI JOIN open_cases o ON o.case_id = a.case_id
            WHERE u.log = $log AND NOT u.superseded
            UNION ALL
            SELECT case_id, name, value, {{us: since_us, sequence: sequence, arrival: arrival}}
            FROM {attributes} t SEMI JOIN open_cases o ON o.case_id = t.case_id
            WHERE log = $log AND since_us <= $at
        )
        SELECT case_id AS "case", name, value FROM told
        QUALIFY row_number() OVER (PARTITION BY case_id, name ORDER BY since DESC NULLS LAST) = 1
        ORDER BY case_id, name
    """,
    "etas": """
        SELECT case_id AS "case", activity, make_timestamptz(eta_us) AS eta, make_timestamptz(at_us) AS told
        FROM live_events e SEMI JOIN open_cases o ON o.case_id = e.case_id
        WHERE log = $log AND eta_us IS NOT NULL AND at_us <= $at AND recorded_us <= {by}
            AND (superseded_us IS NULL OR superseded_us > {by})
        QUALIFY row_number() OVER (
            PARTITION BY case_id, activity ORDER BY at_us DESC, sequence DESC, arrival DESC
        ) = 1
        ORDER BY case_id, activity
    """,
}


def _table(con: DuckDBPyConnection, query: str, log: str, at_us: int, known: Record) -> pa.Table:
    text = query.format(executions=known.executions, attributes=known.attributes, by=known.by_us)
    used = {name: value for name, value in (("log", log), ("at", at_us)) if f"${name}" in text}
    return con.sql(text, params=used).to_arrow_table()


def _newest(con: DuckDBPyConnection, log: str) -> datetime | None:
    found = con.execute("SELECT max(last_us) FROM case_state WHERE log = ?", [log]).fetchall()
    return None if found[0][0] is None else from_us(found[0][0])


def _stand(con: DuckDBPyConnection, log: str, at_us: int, known: Record) -> tuple[str, str]:
    """Standings at an instant in the past, made from the log; the relations that hold them."""
    executions = (
        f"(SELECT * REPLACE ({_KNOWN_END} AS end_us) FROM {known.executions} "
        "WHERE log = $log AND start_us <= $at)"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE standing AS {standings(executions)}", {"log": log, "at": at_us}
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE standing_endings AS SELECT row_number() OVER () AS id, activities "
        "FROM (SELECT DISTINCT activities FROM standing)"
    )
    return "(SELECT s.*, e.id AS ending FROM standing s JOIN standing_endings e USING (activities))", (
        "standing_endings"
    )


def _open(con: DuckDBPyConnection, cases: str, endings: str, rule: ClosingRule, at_us: int) -> None:
    """Temp table `open_cases`: the rule judges each way of ending once, and each case by the way it ended."""
    import pyarrow as pa

    first = con.execute(f"SELECT min(first_us) FROM {cases}").fetchall()[0][0]
    if first is None:
        raise DataError(f"nothing had begun by {in_words(from_us(at_us))}; ask for an instant inside the log")
    ways = con.execute(
        f"SELECT id, activities FROM {endings} WHERE id IN (SELECT ending FROM {cases})"
    ).fetchall()
    verdicts = pa.table(
        {
            "ending": pa.array([number for number, _ in ways], pa.int64()),
            "ends": pa.array([rule.ends(last) for _, last in ways], pa.bool_()),
            "limit_s": pa.array([rule.limit_s(last) for _, last in ways], pa.float64()),
        }
    )
    con.register("verdicts", verdicts)
    # The same roundings as of a snapshot, whose times are seconds since its origin.
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE open_cases AS
        SELECT case_id, first_us, last_us, running FROM {cases} JOIN verdicts USING (ending)
        WHERE running > 0
            OR NOT (ends OR ($at - $origin) / 1e6::DOUBLE - (last_us - $origin) / 1e6::DOUBLE > limit_s)
        """,
        {"at": at_us, "origin": to_us(monday(from_us(first)))},
    )
    con.unregister("verdicts")


def _fitted(con: DuckDBPyConnection, log: str, at: datetime, known: Record) -> ClosingRule:
    return closings.fit(freeze(con, log, at, single_timestamp=False, record=known))


def _kept_rule(con: DuckDBPyConnection, log: str) -> ClosingRule | None:
    """The rule last fitted, unless the log has grown a lot since then."""
    found = con.execute(
        "SELECT rule FROM closing_rules WHERE log = $log "
        "AND (SELECT count(*) FROM case_state WHERE log = $log) <= $growth * cases",
        {"log": log, "growth": _GROWTH},
    ).fetchall()
    return _rule_from(json.loads(found[0][0])) if found else None


def _rule_to(rule: ClosingRule) -> dict[str, Any]:
    return {
        "end_activities": dict(rule.end_activities),
        "idle_s": rule.idle_s,
        "min_share": rule.min_share,
        "idle_after_s": dict(rule.idle_after_s),
        "endings": [[list(last), share] for last, share in rule.endings.items()],
    }


def _rule_from(content: dict[str, Any]) -> ClosingRule:
    endings = {tuple(last): share for last, share in content.pop("endings")}
    return ClosingRule(**content, endings=endings)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
