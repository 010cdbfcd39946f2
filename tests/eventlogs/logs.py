"""Logs as plain rows, their CSV, and the obvious way to freeze them."""

import csv
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from eventlogs.historian import Historian
from eventlogs.snapshot import NO_RESOURCE, Snapshot

T0 = datetime(2024, 3, 4, 8, tzinfo=UTC)
HEADER = ("case_id", "activity", "resource", "start_time", "end_time")


class Row(NamedTuple):
    case: str
    activity: str
    resource: str | None
    start_s: float
    """Seconds after T0."""
    end_s: float | None


names = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('",;\n'), min_size=1).filter(
    lambda text: text.strip() != ""
)
seconds = st.integers(0, 40 * 86_400_000).map(lambda ms: ms / 1000)
few_names = st.sampled_from(["A", "NA", "007", "null", 'a "b", c', "é\nß", " x"])


@st.composite
def a_row(draw: st.DrawFn) -> Row:
    start = draw(seconds)
    lasting = draw(st.sampled_from([0.0, 0.0, 0.001, 3600.0]) | seconds)
    end = draw(st.sampled_from([start + lasting] * 9 + [None]))
    end = end if end is None else round(end, 3)
    return Row(draw(few_names | names), draw(few_names), draw(st.none() | few_names), start, end)


row_lists = st.lists(a_row(), min_size=1, max_size=25)


def stamp(offset_s: float | None) -> str:
    if offset_s is None:
        return ""
    instant = T0 + timedelta(milliseconds=round(offset_s * 1000))
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def write(path: Path, rows: Iterable[Row], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows([r.case, r.activity, r.resource, stamp(r.start_s), stamp(r.end_s)] for r in rows)
    return path


def lines(path: Path, *texts: str) -> Path:
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def frozen(path: Path, until: datetime | None = None, open_cases: Iterable[str] | None = ()) -> Snapshot:
    """The file imported into a fresh database and frozen."""
    with Historian(":memory:") as historian:
        report = historian.import_log(path, "log")
        assert report.rows_read == report.rows_kept + report.rows_ignored + report.rows_quarantined
        return historian.snapshot("log", until, None if open_cases is None else frozenset(open_cases))


def traces(snapshot: Snapshot) -> list[tuple[str, list[Row]]]:
    """Case by case, in the snapshot's order, with offsets from T0 again."""
    shift = (snapshot.origin - T0).total_seconds()
    found = []
    for i, case in enumerate(snapshot.cases):
        rows = []
        for j in range(snapshot.offsets[i], snapshot.offsets[i + 1]):
            resource = snapshot.resource[j]
            end = snapshot.end_s[j]
            rows.append(
                Row(
                    case,
                    snapshot.activities[snapshot.activity[j]],
                    None if resource == NO_RESOURCE else snapshot.resources[resource],
                    round(float(snapshot.start_s[j]) + shift, 3),
                    None if np.isnan(end) else round(float(end) + shift, 3),
                )
            )
        found.append((case, rows))
    return found


def naive_traces(rows: Sequence[Row], until_s: float = math.inf) -> list[tuple[str, list[Row]]]:
    """What `traces` should give: known rows by case, running last, cases by first start."""
    known = [
        r._replace(end_s=r.end_s if r.end_s is not None and r.end_s <= until_s else None)
        for r in rows
        if r.start_s <= until_s
    ]
    cases: dict[str, list[Row]] = {}
    for row in known:
        cases.setdefault(row.case, []).append(row)
    ordered = sorted(cases.items(), key=lambda item: (min(r.start_s for r in item[1]), item[0]))
    return [
        (case, sorted(group, key=lambda r: (math.inf if r.end_s is None else r.end_s, r.start_s)))
        for case, group in ordered
    ]
