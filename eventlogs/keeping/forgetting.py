"""A case or a person deleted on request, wherever the database and the files beside it hold them.

A person becomes `deleted person N`, so that twins and workloads still add up; a case goes altogether. What is
deleted here still stands in the unused bytes of the file until it is rewritten; see `erasing`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from eventlogs.keeping import texts, undoing
from eventlogs.keeping.mentions import mentions
from eventlogs.keeping.migrating import backups
from eventlogs.keeping.recounting import recount, rows_of
from eventlogs.keeping.refreezing import change_archives, change_snapshots, renamed, without_case
from eventlogs.live.standing import refresh
from eventlogs.report import number
from metagraph.errors import DataError

_BY_CASE = {
    "events": "executions",
    "case_attributes": "case attributes",
    "live_events": "live events",
    "live_attributes": "case attributes",
}
_BY_PERSON = {
    ("events", "resource"): "executions",
    ("live_events", "resource"): "live events",
    ("case_attributes", "value"): "case attributes",
    ("live_attributes", "value"): "case attributes",
    ("model_changes", "who"): "changes of twins",
}
_JSON = {
    ("events", "attributes"): "event attributes",
    ("live_events", "attributes"): "event attributes",
    ("quarantine", "raw"): "quarantined rows",
    ("fixes", "raw"): "mended rows",
}


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a deletion on request did."""

    what: str
    """`case`, or what the person is called now."""
    counts: Mapping[str, int]
    """Where -> how many were deleted or changed."""
    left: tuple[str, ...]
    """What can't be reached from here, in sentences."""
    erased: bool
    """The bytes are gone from the database's file too; else that is done when it is next opened alone."""

    def sentence(self) -> str:
        done = ", ".join(number(n, where.removesuffix("s")) for where, n in self.counts.items())
        verb = "The case was deleted" if self.what == "case" else f"The person is {self.what!r} from now on"
        return f"{verb}: {done}."


def forget_case(con: DuckDBPyConnection, database: str, case_id: str) -> Forgotten:
    """Delete a case from every log, inside the caller's transaction. Raises DataError when there is none."""
    counts: Counter[str] = Counter()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    became, unread = change_snapshots(con, database, without_case(case_id))
    counts["snapshots"] = len(became)
    counts["archived executions"], others = change_archives(con, database, without_case(case_id))
    sources = []
    for upload, kind, source in _uploads_with(con, case_id):
        before = rows_of(con, upload)
        executions = _delete(con, "events", "upload_id = ? AND case_id = ?", [upload, case_id])
        counts["executions"] += executions
        if kind == "import":
            quarantined = _delete_rows(con, "quarantine", upload, case_id)
            _delete_rows(con, "fixes", upload, case_id)
            counts["quarantined rows"] += quarantined
            sources.append(source)
            what = f"{executions} executions, {quarantined} rows set aside"
            note = f"A case ({what}) was deleted on request on {today}."
            recount(con, upload, before - rows_of(con, upload), note)
            con.execute("UPDATE uploads SET deleted_from = true WHERE id = ?", [upload])
    logs = con.execute("SELECT DISTINCT log FROM uploads").fetchall()
    for table, where in _BY_CASE.items():
        counts[where] += _delete(con, table, "case_id = ?", [case_id])
    con.execute("DELETE FROM case_state WHERE case_id = ?", [case_id])
    counts["quarantined live events"] = _delete_mentions(con, case_id)
    counts["twins"] = _tell_twins(con, became, today)
    _drop_empty(con)
    for (log,) in logs:
        refresh(con, log)
    return _noted(con, database, "case", counts, [*unread, *others], sources, case_id)


def forget_person(con: DuckDBPyConnection, database: str, name: str) -> Forgotten:
    """Replace a resource's name by `deleted person N`, inside the caller's transaction.

    Raises DataError when nobody of that name is known.
    """
    place = con.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM deletions WHERE kind = 'person'"
    ).fetchall()[0][0]
    label = f"deleted person {place}"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    counts: Counter[str] = Counter()
    became, unread = change_snapshots(con, database, renamed(name, label))
    counts["snapshots"] = len(became)
    counts["archived executions"], others = change_archives(con, database, renamed(name, label))
    sources = _touched(con, name)
    for (table, column), where in _BY_PERSON.items():
        counts[where] += con.execute(
            f"UPDATE {table} SET {column} = ? WHERE {column} = ?", [label, name]
        ).fetchall()[0][0]
    for (table, column), where in _JSON.items():
        counts[where] += _change(
            con, table, column, name, lambda text: texts.values_replaced(text, name, label)
        )
    counts["quarantined live events"] = _delete_mentions(con, name)
    for table in ("uploads", "snapshots"):
        _change(con, table, "report", name, lambda text: texts.notes_replaced(text, name, label))
    counts["twins"] = _change(
        con, "models", "twin", name, lambda text: texts.twin_replaced(text, name, label)
    )
    counts["recalibrations"] = _change(
        con, "recalibrations", "report", name, lambda text: texts.told_replaced(text, name, label)
    )
    for column in ("report", "asked"):
        counts["backtests"] += _change(
            con, "backtests", column, name, lambda text: texts.told_replaced(text, name, label)
        )
    counts["what jobs told"] = _change_told(con, name, label)
    _tell_twins(con, became, today)
    for (log,) in con.execute("SELECT DISTINCT log FROM uploads").fetchall():
        refresh(con, log)
    return _noted(con, database, label, counts, [*unread, *others], sources, name)


def _change_told(con: DuckDBPyConnection, name: str, label: str) -> int:
    """Replace a name in what jobs printed, be it JSON or sentences; how many texts differ then."""
    changed = 0
    for table, column in (("jobs", "result"), ("jobs", "message"), ("job_lines", "line")):
        for place, old in con.execute(
            f"SELECT rowid, {column} FROM {table} WHERE contains({column}, ?)", [name]
        ).fetchall():
            new = texts.in_prose(old, name, label)
            if new != old:
                con.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", [new, place])
                changed += 1
    return changed


def _uploads_with(con: DuckDBPyConnection, case_id: str) -> list[tuple[int, str, str]]:
    """Imports with executions or quarantined rows of the case: id, kind and source."""
    return con.execute(
        "SELECT id, kind, source FROM uploads WHERE id IN (SELECT upload_id FROM events WHERE case_id = ?) "
        "OR id IN (SELECT upload_id FROM quarantine WHERE contains(raw, ?) OR contains(raw, ?)) ORDER BY id",
        [case_id, *texts.literals(case_id)],
    ).fetchall()


def _touched(con: DuckDBPyConnection, name: str) -> list[str]:
    """Note the imports that hold the name as a value, and give the files that they are from."""
    rows = con.execute(
        """
        UPDATE uploads SET deleted_from = true WHERE kind = 'import' AND id IN (
            SELECT upload_id FROM events
            WHERE resource = $name OR contains(attributes, $ascii) OR contains(attributes, $text)
            UNION SELECT upload_id FROM case_attributes WHERE value = $name
            UNION SELECT upload_id FROM quarantine WHERE contains(raw, $ascii) OR contains(raw, $text)
        ) RETURNING source
        """,
        {"name": name, **dict(zip(("ascii", "text"), texts.literals(name), strict=True))},
    ).fetchall()
    return sorted(source for (source,) in rows)


def _delete(con: DuckDBPyConnection, table: str, where: str, values: list[object]) -> int:
    return int(con.execute(f"DELETE FROM {table} WHERE {where}", values).fetchall()[0][0])


def _delete_rows(con: DuckDBPyConnection, table: str, upload: int, case_id: str) -> int:
    """Rows of the file that belong to the case: by its column, or by any where that one is missing."""
    report = json.loads(con.execute("SELECT report FROM uploads WHERE id = ?", [upload]).fetchall()[0][0])
    column = report["mapping"].get("case")
    rows = con.execute(
        f"SELECT row, raw FROM {table} WHERE upload_id = ? AND (contains(raw, ?) OR contains(raw, ?))",
        [upload, *texts.literals(case_id)],
    ).fetchall()
    of_case = []
    for row, raw in rows:
        fields = json.loads(raw)
        told = [fields[column]] if isinstance(fields, dict) and fields.get(column) else texts.values(raw)
        if case_id in told:
            of_case.append(row)
    return _delete(con, table, "upload_id = ? AND row IN (SELECT unnest(?::BIGINT[]))", [upload, of_case])


def _delete_mentions(con: DuckDBPyConnection, text: str) -> int:
    """Delete live events that were set aside and name it anywhere as a value or, if unreadable, as a word."""
    found = []
    for place, raw in con.execute("SELECT rowid, raw FROM live_quarantine").fetchall():
        try:
            named = text in texts.values(raw)
        except ValueError:
            named = texts.in_prose(raw, text, "") != raw
        if named:
            found.append(place)
    return _delete(con, "live_quarantine", "rowid IN (SELECT unnest(?::BIGINT[]))", [found])


def _change(con: DuckDBPyConnection, table: str, column: str, name: str, change: Callable[[str], str]) -> int:
    """Change the texts that may hold the name; how many differ then."""
    rows = con.execute(
        f"SELECT rowid, {column} FROM {table} WHERE contains({column}, ?) OR contains({column}, ?)",
        [inner[1:-1] for inner in texts.literals(name)],
    ).fetchall()
    changed = [
        (place, new) for place, old in rows if (new := change(old)) and json.loads(new) != json.loads(old)
    ]
    if changed:
        con.execute(
            f"UPDATE {table} SET {column} = c.text FROM (SELECT unnest(?::BIGINT[]) AS id, "
            f"unnest(?::VARCHAR[]) AS text) c WHERE {table}.rowid = c.id",
            [list(part) for part in zip(*changed, strict=True)],
        )
    return len(changed)


def _tell_twins(con: DuckDBPyConnection, became: Mapping[str, str], today: str) -> int:
    """Let the twins that were built from these snapshots say so, and name the snapshot that there is now."""
    told = 0
    for name, version, text in con.execute("SELECT name, version, twin FROM models").fetchall():
        twin = json.loads(text)
        provenance = twin.get("provenance") or {} if isinstance(twin, dict) else {}
        old = str(provenance.get("content_hash"))
        if old not in became:
            continue
        provenance["facts"] = provenance.get("facts", {}) | {
            "snapshot": f"changed by a deletion on request on {today}; the twin was built from it as it was"
        }
        provenance["content_hash"] = became[old] or old
        record = provenance.get("record") or {}
        if record.get("selected_on") == old:
            record["selected_on"] = became[old] or old
        changed = json.dumps(twin, ensure_ascii=False, indent=1) + "\n"
        con.execute("UPDATE models SET twin = ? WHERE name = ? AND version = ?", [changed, name, version])
        told += 1
    return told


def _drop_empty(con: DuckDBPyConnection) -> None:
    """Imports of which nothing is left go, and the account of live events that there are none of."""
    undoing.remove(
        con,
        [
            row[0]
            for row in con.execute(
                "SELECT id FROM uploads WHERE kind = 'import' AND id NOT IN (SELECT upload_id FROM events)"
            ).fetchall()
        ],
    )
    con.execute("DELETE FROM uploads WHERE kind = 'live' AND log NOT IN (SELECT log FROM live_events)")


def _noted(
    con: DuckDBPyConnection,
    database: str,
    what: str,
    counts: Counter[str],
    unread: list[str],
    sources: list[str],
    text: str,
) -> Forgotten:
    """Enter the deletion, without saying who; the answer names what is out of reach."""
    found = {where: n for where, n in counts.items() if n}
    if not found:
        kind = "case" if what == "case" else "person"
        raise DataError(f"no {kind} {text!r} in the logs, snapshots, archives and twins of {database}")
    kind, _, place = what.rpartition(" ") if what != "case" else ("case", "", "0")
    con.execute(
        "INSERT INTO deletions VALUES (?, ?, ?, ?, false)",
        ["case" if what == "case" else "person", int(place), datetime.now(UTC), json.dumps(found)],
    )
    left = [*unread]
    if sources:
        left.append(f"The files it was read from still hold it: {', '.join(dict.fromkeys(sources))}.")
    left += [
        f"{file}, a copy made before an update, still holds it; delete it." for file in backups(database)
    ]
    left += mentions(con, text)
    left.append("Twin files, reports and exports that were written elsewhere are yours to look through.")
    return Forgotten(what, found, tuple(left), erased=False)
