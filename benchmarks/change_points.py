"""How often are changes seen that aren't there, and those missed that are? Writes docs/drift.md.

    python -m benchmarks.change_points [--logs 30] [--out docs/drift.md]

Logs of seven kinds, in which nothing changes, or one thing does at their middle; half of them cut at their
end, so that cases that were unfinished then are missing. And logs of known twins from an empty start.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.engines_peers import ROOT
from calibration.drift import Change, changes
from calibration.settings import Settings
from eventlogs.snapshot import NO_RESOURCE, Snapshot

HOUR, DAY, WEEK = 3600.0, 86400.0, 604800.0
WEEKS = (16, 30, 60, 110)
"""Lengths of the logs in which nothing changes; changes come in the middle of CHANGED weeks."""
CHANGED = 40
A_WEEK = 92.0
KINDS = {
    "plain": "Poisson arrivals in office hours, gamma laws, 92 orders a week",
    "heavy": "the same with lognormal laws, standard deviation of the logarithm 2",
    "small": "plain, 14 orders a week",
    "small heavy": "heavy, 14 orders a week",
    "bursty": "plain, days busier than others: gamma factors with a variance of 0.5",
    "month": "plain, three times as many orders in the last three days of each 30, 0.8 of the usual else",
    "queue": "plain, with a task whose orders wait for one person, busy for two thirds of the time",
}
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Process:
    """What may change at an instant."""

    rate: float = 1.0
    """Orders, as a factor."""
    work: float = 1.0
    """Work on B and C, as a factor."""
    branch: float = 0.0
    """Share of the orders that go by a task X."""


CHANGES: Mapping[str, tuple[str, Process]] = {
    "30 % more orders": ("arrivals", Process(rate=1.3)),
    "tasks slower by 25 %": ("work", Process(work=1.25)),
    "a new branch for 15 %": ("structure", Process(branch=0.15)),
}


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--logs", type=int, default=30, help="of each kind, and of known twins")
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "drift.md")
    asked = options.parse_args()
    rows = [_row(kind, words, asked.logs) for kind, words in KINDS.items()]
    alarms = [found for _, mine in rows for found in mine]
    with tempfile.TemporaryDirectory() as folder:
        known = [bool(_changes_of_known(seed, Path(folder))) for seed in range(2 * asked.logs)]
    page = HEAD.format(
        share=f"{np.mean(alarms):.1%}",
        n=len(alarms),
        known=sum(known),
        of=len(known),
        names=" | ".join(CHANGES),
        columns=" | ".join("---:" for _ in CHANGES),
    )
    asked.out.write_text(page + "".join(line for line, _ in rows), "utf-8")


def _row(kind: str, words: str, n: int) -> tuple[str, list[bool]]:
    """A line of the table, and in which of the logs without change one was seen."""
    alarms = [
        bool(seen(history(kind, 1000 + k, WEEKS[k % len(WEEKS)], cut=bool(k % 8 > 3)))) for k in range(n)
    ]
    hits = []
    for what, process in CHANGES.values():
        found = [seen(history(kind, 5000 + k, CHANGED, process, cut=bool(k % 2))) for k in range(n)]
        hits.append(f"{np.mean([any(c.kind == what for c in one) for one in found]):.0%}")
    return f"| {kind}: {words} | {np.mean(alarms):.0%} | {' | '.join(hits)} |\n", alarms


def seen(log: Snapshot) -> tuple[Change, ...]:
    """The changes that are told of a log."""
    return changes(log, Settings())


def _changes_of_known(seed: int, work: Path) -> tuple[Change, ...]:
    from benchmarks.roundtrip import case_of

    return seen(case_of(seed // 2, (600, 1500)[seed % 2], work).source.snapshot)


def history(
    kind: str,
    seed: int,
    weeks: int,
    later: Process | None = None,
    *,
    cut: bool = False,
    per_week: float = A_WEEK,
) -> Snapshot:
    """A log of so many weeks, from whose middle on the process is `later`: A, B for three in five, X for
    some, C, and up to two repetitions of B. If `cut`, cases that end after the last week are missing."""
    dice = np.random.default_rng(seed)
    later = later or Process()
    release = _arrivals(kind, dice, weeks, later.rate, per_week)
    new = release >= weeks // 2 * WEEK
    slower = np.where(new, later.work, 1.0)
    draw = _Draw(dice, kind.endswith("heavy"), len(release))
    log = _Log(len(release))
    t = log.done(0, release, 0.3 * HOUR * draw())
    by_b = dice.uniform(size=len(release)) < 0.6
    if kind == "queue":
        work = 2 * HOUR * draw() * slower
        begin = _served(t, work, by_b)
    else:
        work, begin = HOUR * draw() * slower, t + 2 * DAY * draw() * by_b
    t = log.done(1, begin, work, by_b)
    by_x = dice.uniform(size=len(release)) < np.where(new, later.branch, 0.0)
    t = log.done(3, t + HOUR * by_x, HOUR * draw(), by_x)
    t = log.done(2, t + 3 * DAY * draw(), 0.5 * HOUR * draw() * slower)
    for _ in range(2):
        again = dice.uniform(size=len(release)) < 0.2
        t = log.done(1, t + DAY * draw() * again, HOUR * draw() * slower, again)
    return log.snapshot(weeks * WEEK if cut else None)


def _arrivals(kind: str, dice: np.random.Generator, weeks: int, rate: float, per_week: float) -> Floats:
    day = np.arange(weeks * 7)
    mean = np.where(day % 7 < 5, per_week / 5, 0.0) * np.where(day >= weeks // 2 * 7, rate, 1.0)
    if kind.startswith("small"):
        mean *= 0.15
    if kind == "bursty":
        mean *= dice.gamma(2.0, 0.5, len(day))
    if kind == "month":
        mean *= np.where(day % 30 >= 27, 3.0, 0.8)
    counts = dice.poisson(mean)
    at = 8 * HOUR + 10 * HOUR * dice.beta(2.0, 3.0, int(counts.sum()))
    return np.sort(np.repeat(day * DAY, counts) + at)


class _Draw:
    """Positive factors of mean about 1."""

    def __init__(self, dice: np.random.Generator, heavy: bool, n: int) -> None:
        self._dice, self._heavy, self._n = dice, heavy, n

    def __call__(self) -> Floats:
        if self._heavy:
            return self._dice.lognormal(-2.0, 2.0, self._n)
        return self._dice.gamma(2.0, 0.5, self._n)


def _served(ready: Floats, work: Floats, mine: NDArray[np.bool_]) -> Floats:
    """Starts at one person who takes what came first, around the clock."""
    free, start = 0.0, ready.copy()
    for i in np.argsort(ready, kind="stable").tolist():
        if mine[i]:
            start[i] = max(ready[i], free)
            free = start[i] + work[i]
    return start


class _Log:
    """Executions, all cases' at a time."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._rows: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats, Floats]] = []

    def done(self, task: int, start: Floats, work: Floats, mine: NDArray[np.bool_] | None = None) -> Floats:
        """Ends of the task for the cases that go by it; the others stay where they are."""
        which = np.arange(self._n) if mine is None else np.flatnonzero(mine)
        end = start + (work if mine is None else work * mine)
        self._rows.append((which, np.full(len(which), task), start[which], end[which]))
        return end

    def snapshot(self, until_s: float | None) -> Snapshot:
        """As a log; without the cases that end later than `until_s`."""
        case, task, start, end = (np.concatenate(column) for column in zip(*self._rows, strict=True))
        last = np.zeros(self._n)
        np.maximum.at(last, case, end)
        known = last <= (np.inf if until_s is None else until_s)
        rows = known[case]
        number = np.cumsum(known) - 1
        order = np.lexsort((start[rows], end[rows], number[case[rows]]))
        sizes = np.bincount(number[case[rows]])
        return Snapshot(
            name="made",
            content_hash="",
            origin=datetime(2024, 1, 1, tzinfo=UTC),
            until_s=float(end.max()) if until_s is None else until_s,
            cases=tuple(str(k) for k in range(len(sizes))),
            activities=("A", "B", "C", "X"),
            resources=(),
            offsets=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            activity=task[rows][order].astype(np.int32),
            resource=np.full(int(rows.sum()), NO_RESOURCE, np.int32),
            start_s=start[rows][order],
            end_s=end[rows][order],
            is_open=np.zeros(len(sizes), np.bool_),
            attributes={},
            single_timestamp=False,
        )


HEAD = """# Are changes seen that aren't there?

Made by `python -m benchmarks.change_points`. Each log is searched for changes of arrivals, structure, work
and waits as a build does it (`calibration/drift.py`). In {share} of {n} logs in which nothing changes one is
told, and in {known} of {of} logs of known random twins (docs/roundtrip.md), from an empty start. The other
columns: in how many logs a change in their middle, of 40 weeks, is found. Where few orders come, or some days
are much busier than others, changes of this size can't be told from chance. How soon drift is found once a
twin was learnt, by the tests of recalibration: [drift since a twin was learnt](drift-since.md).

| kind of log | told without any | {names} |
| --- | ---: | {columns} |
"""


if __name__ == "__main__":
    main()
