"""Executions as plain rows, put into a database, and the obvious way to filter them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import duckdb
from duckdb import DuckDBPyConnection
from hypothesis import strategies as st

from eventlogs.instants import to_us
from eventlogs.keeping.migrating import migrate
from eventlogs.mining.filters import LogFilter

T0 = datetime(2024, 3, 4, 8, tzinfo=UTC)
STRANGE = 'a/b~1 "c"'
"""A name for an attribute that paths into JSON must not trip over."""


class Done(NamedTuple):
    """One execution; times in whole hours after T0, so that many fall together."""

    case: str
    activity: str
    resource: str | None
    start: int
    end: int | None
    channel: str | None = None
    """Its attribute STRANGE."""


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


@st.composite
def a_done(draw: st.DrawFn) -> Done:
    start = draw(st.integers(0, 12))
    end = draw(st.sampled_from([start, start + 1, start + 3, start + 3, None]))
    case, activity = draw(st.sampled_from(["c1", "c2", "c'3", "4"])), draw(st.sampled_from("abc"))
    return Done(
        case,
        activity,
        draw(st.sampled_from(["r1", "r2", None])),
        start,
        end,
        draw(st.sampled_from(["x", "y", None])),
    )


logs = st.lists(a_done(), min_size=1, max_size=30)


def segment(case: str) -> str | None:
    """Each case's attribute `segment`; one case has none."""
    return {"c1": "key", "c2": "standard", "c'3": "key"}.get(case)


def database() -> DuckDBPyConnection:
    """An empty one with all its tables."""
    con = duckdb.connect()
    migrate(con, ":memory:")
    return con


def fill(con: DuckDBPyConnection, log: Sequence[Done]) -> None:
    """The rows as the only import of log `log`, beside an import that must never be seen."""
    for table in ("uploads", "events", "case_attributes"):
        con.execute(f"DELETE FROM {table}")
    for upload, superseded in ((1, False), (2, True)):
        con.execute(
            "INSERT INTO uploads (id, log, source, content_hash, options, parser_version, report, "
            "superseded, "
            "imported_at) VALUES (?, 'log', '', '', '{}', 1, '{}', ?, now())",
            [upload, superseded],
        )
    con.execute(
        "INSERT INTO events (upload_id, row, case_id, activity, resource, start_us, end_us) "
        "VALUES (2, 1, 'old', 'old', 'old', 0, 1)"
    )
    columns = list(
        zip(*((*done[:3], _us(done.start), _us(done.end), done.channel) for done in log), strict=True)
    )
    con.execute(
        "INSERT INTO events (upload_id, row, case_id, activity, resource, start_us, end_us, attributes) "
        "SELECT 1, "
        "row, case_id, activity, resource, start_us, end_us, CASE WHEN channel <> '' THEN json_object($7, "
        "channel) "
        "END FROM (SELECT unnest(range(len($1))) AS row, unnest($1::VARCHAR[]) AS case_id, "
        "unnest($2::VARCHAR[]) AS activity, unnest($3::VARCHAR[]) AS resource, unnest($4::BIGINT[]) AS "
        "start_us, "
        "unnest($5::BIGINT[]) AS end_us, unnest($6::VARCHAR[]) AS channel)",
        [*(list(column) for column in columns or [()] * 6), STRANGE],
    )
    held = {done.case: value for done in log if (value := segment(done.case))}
    con.execute(
        "INSERT INTO case_attributes SELECT 1, unnest($1::VARCHAR[]), 'segment', unnest($2::VARCHAR[])",
        [list(held), list(held.values())],
    )


def _us(hours: int | None) -> int | None:
    return None if hours is None else to_us(at(hours))


def traces(log: Iterable[Done]) -> dict[str, list[Done]]:
    """Cases in order of ends: at one instant as recorded, running executions last, by start."""
    found: dict[str, list[Done]] = {}
    for done in log:
        found.setdefault(done.case, []).append(done)
    for done_ones in found.values():
        done_ones.sort(key=lambda d: (d.end is None, d.start if d.end is None else d.end))
    return found


def last(done: Done) -> int:
    return done.start if done.end is None else max(done.start, done.end)


def filtered(log: Sequence[Done], wanted: LogFilter) -> list[Done]:
    """The rows that a filter leaves, in their order."""
    cases = {case for case, done in traces(log).items() if _case_wanted(case, done, wanted)}
    left = [done for done in log if done.case in cases and _done_wanted(done, wanted)]
    return _of_variants(left, wanted)


def _inside(instant: int, wanted: LogFilter) -> bool:
    after, before = wanted.after or at(-999), wanted.before or at(999)
    return after <= at(instant) <= before


def _case_wanted(case: str, trace: list[Done], wanted: LogFilter) -> bool:
    first, end = min(d.start for d in trace), max(last(d) for d in trace)
    after, before = wanted.after or at(-999), wanted.before or at(999)
    names = [d.activity for d in trace]
    path = list(wanted.path)
    return all(
        (
            wanted.window != "contained" or (_inside(first, wanted) and _inside(end, wanted)),
            wanted.window != "started" or _inside(first, wanted),
            wanted.window != "ended" or _inside(end, wanted),
            wanted.window != "intersecting" or (at(first) < before and at(end) > after),
            not wanted.cases or case in wanted.cases,
            all(segment(case) in values for values in wanted.case_attributes.values()),
            not wanted.with_activities or set(names) & set(wanted.with_activities),
            not set(names) & set(wanted.without_activities),
            not wanted.with_resources or {d.resource for d in trace} & set(wanted.with_resources),
            all({d.channel for d in trace} & set(values) for values in wanted.with_attributes.values()),
            not wanted.starts or names[0] in wanted.starts,
            not wanted.ends or names[-1] in wanted.ends,
            not wanted.rework or any(names.count(again) > 1 for again in wanted.rework),
            not path or any(names[i : i + len(path)] == path for i in range(len(names))),
            wanted.min_cycle_s is None or (end - first) * 3600 >= wanted.min_cycle_s,
            wanted.max_cycle_s is None or (end - first) * 3600 <= wanted.max_cycle_s,
        )
    )


def _done_wanted(done: Done, wanted: LogFilter) -> bool:
    return all(
        (
            wanted.window != "events" or _inside(done.start if done.end is None else done.end, wanted),
            not wanted.activities or done.activity in wanted.activities,
            not wanted.resources or done.resource in wanted.resources,
            all(done.channel in values for values in wanted.attributes.values()),
        )
    )


def _of_variants(log: list[Done], wanted: LogFilter) -> list[Done]:
    variant = {case: tuple(d.activity for d in trace) for case, trace in traces(log).items()}
    ranked = sorted(Counter(variant.values()).items(), key=lambda item: (-item[1], item[0]))
    kept, covered = set(), 0
    for place, (name, cases) in enumerate(ranked, start=1):
        if (
            (wanted.top_variants is None or place <= wanted.top_variants)
            and (wanted.variant_share is None or covered < round(wanted.variant_share * len(variant), 9))
            and (
                wanted.min_variant_share is None or cases >= round(wanted.min_variant_share * len(variant), 9)
            )
        ):
            kept.add(name)
        covered += cases
    return [done for done in log if variant[done.case] in kept]
