"""Change points against logs with known changes, and without any: whole, and cut at their end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from benchmarks import change_points
from calibration.calibrate import calibrate
from calibration.drift import Change, changes, facts, windows
from calibration.settings import Settings
from discovery.replay_log import replay_log
from eventlogs.snapshot import Snapshot
from metagraph.blocks import Leaf, Sequence, skeleton
from tests.calibration.builders import DAY, ORIGIN, WEEK, Row, snapshot
from tests.calibration.test_arrivals import PROFILE, poisson

WEEKS = 26
CHANGE = 16
"""The week with which changes begin."""


def history(
    seed: int,
    *,
    cut: bool,
    rate: float = 1.0,
    work: float = 1.0,
    wait: float = 1.0,
    skip: float = 0.3,
    weeks: int = WEEKS,
) -> Snapshot:
    """A, then with probability 0.7 B, then C; changed in `rate`, work on C, wait before C and share of A → C
    for the orders from week CHANGE on. If `cut`, the log lacks the cases that end after it."""
    draw = np.random.default_rng(seed)
    first = poisson(PROFILE, CHANGE, seed)
    later = poisson(PROFILE * rate, weeks - CHANGE, seed + 1) + CHANGE * WEEK
    rows: list[Row] = []
    for i, t in enumerate(np.concatenate((first, later)).tolist()):
        new = t >= CHANGE * WEEK
        end = t + draw.gamma(2, 600)
        case: list[Row] = [(str(i), "A", "ann", t, end)]
        if draw.uniform() >= (skip if new else 0.3):
            start = end + draw.exponential(3 * DAY)
            end = start + draw.gamma(2, 900)
            case.append((str(i), "B", "bob", start, end))
        start = end + draw.exponential(4 * DAY) * (wait if new else 1.0)
        case.append((str(i), "C", "cy", start, start + draw.gamma(2, 1200) * (work if new else 1.0)))
        rows += case if not cut or (case[-1][4] or 0.0) <= weeks * WEEK else []
    until = weeks * WEEK if cut else None
    return snapshot(rows, until_s=until)


def found(log: Snapshot) -> tuple[Change, ...]:
    return changes(log, Settings())


@pytest.mark.parametrize("cut", [True, False])
def test_without_change_none_is_seen(cut: bool) -> None:
    """In at most 4 of 40 logs; where the end is cut off its last weeks look shorter and emptier."""
    alarms = [found(history(10 * seed, cut=cut)) for seed in range(40)]
    assert sum(bool(alarm) for alarm in alarms) <= 4, alarms


CASES = [
    ("arrivals", "", {"rate": 1.6}),
    ("work", "C", {"work": 1.5}),
    ("wait", "C", {"wait": 1.8}),
    ("structure", "A → C", {"skip": 0.6}),
]


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize(("kind", "what", "changed"), CASES)
def test_changes_are_seen_when_they_come(kind: str, what: str, changed: dict[str, Any], cut: bool) -> None:
    """In at least 8 of 10 logs, within two weeks, and hardly anything else with them."""
    seen, others = 0, 0
    for seed in range(10):
        told = found(history(100 + 10 * seed, cut=cut, **changed))
        mine = [c for c in told if c.kind == kind]
        when = [abs(c.when - (ORIGIN + timedelta(weeks=CHANGE))) for c in mine]
        seen += any(gap <= timedelta(weeks=2) for gap in when)
        # The pair that grows and the one that shrinks are the same change.
        assert kind != "structure" or all(c.what in ("A → B", "A → C", "B → C") for c in mine)
        assert not what or kind == "structure" or all(c.what == what for c in mine)
        others += len(told) - len(mine)
    assert seen >= 8
    assert others <= 3


def test_a_change_is_told_in_words() -> None:
    log = history(31, cut=True, work=2.0)
    (change,) = [c for c in found(log) if c.kind == "work"]
    assert change.after / change.before == pytest.approx(2, rel=0.15)
    assert change.words.startswith("work on C rose by ")
    assert f"around {change.when:%Y-%m-%d}" in change.words
    assert facts((change,)) == {"changes": change.words}
    assert facts(()) == {}


def test_windows_begin_with_changes() -> None:
    log = history(31, cut=False, work=2.0)
    (change,) = found(log)
    names = dict(windows(log, Settings()))
    assert names[f"since {change.when:%Y-%m-%d}"] == pytest.approx((WEEKS - CHANGE) / WEEKS, abs=0.08)
    assert list(names.values()) == sorted(names.values(), reverse=True)
    assert names["whole log"] == 1.0
    assert {"last half", "last 30 %", "last 20 %"} < set(names)


def test_the_twin_tells_the_changes_of_its_log() -> None:
    log = history(31, cut=False, work=2.0)
    structure = skeleton(Sequence((Leaf("a", "A"), Leaf("b", "B"), Leaf("c", "C"))))
    replayed = replay_log(log, structure.block)
    twin, draft = (
        calibrate(log, structure, replayed, Settings(fast=fast), name="t", seed=0) for fast in (False, True)
    )
    assert twin.provenance is not None
    assert "work on C rose" in twin.provenance.facts["changes"]
    assert draft.provenance is not None
    assert "changes" not in draft.provenance.facts


def test_short_logs_have_no_changes() -> None:
    assert found(history(5, cut=False, weeks=CHANGE + 1)) == ()
    assert found(snapshot([("1", "A", "ann", 0.0, 60.0)])) == ()


def steady(last: float, odd: int = 1) -> Snapshot:
    """Twenty orders a day whose work hardly differs: `last` times as long from week CHANGE on; `odd` times as
    many orders in a single week before."""
    draw = np.random.default_rng(8)
    rows: list[Row] = []
    for k, t in enumerate(draw.uniform(0, WEEKS * WEEK, WEEKS * 7 * 20).tolist()):
        work = 600 * (last if t >= CHANGE * WEEK else 1.0)
        for twin in range(odd if 6 * WEEK <= t < 7 * WEEK else 1):
            rows.append((f"{k}.{twin}", "A", "ann", t, t + work * draw.normal(1, 0.01)))
    return snapshot(rows, until_s=WEEKS * WEEK)


def test_sure_changes_that_are_small_are_not_told() -> None:
    """Five per cent can't be missed here, but nobody needs to know; fifteen are told."""
    assert found(steady(1.05)) == ()
    assert [(c.kind, c.what) for c in found(steady(1.15))] == [("work", "A")]


def test_one_odd_week_is_no_change() -> None:
    assert found(steady(1.0, odd=20)) == ()


def test_a_log_of_one_activity_has_changes_of_arrivals_and_times_but_none_of_structure() -> None:
    draw = np.random.default_rng(3)
    rows: list[Row] = []
    for i, t in enumerate(poisson(PROFILE, WEEKS, 3).tolist()):
        rows.append((str(i), "A", "ann", t, t + draw.gamma(2, 600)))
    assert all(change.kind != "structure" for change in found(snapshot(rows)))


def test_few_logs_without_change_are_said_to_change() -> None:
    """In at most 5 % of 63 logs: of seven kinds, of 16 to 110 weeks, heavy-tailed, small, bursty, with busy
    ends of months, with queues; docs/drift.md has more of them."""
    logs = [
        change_points.history(kind, 70 + k, change_points.WEEKS[k % 4], cut=bool(k % 2))
        for kind in change_points.KINDS
        for k in range(9)
    ]
    alarms = [found(log) for log in logs]
    assert sum(bool(alarm) for alarm in alarms) <= 0.05 * len(logs), [a for a in alarms if a]


@pytest.mark.parametrize("change", change_points.CHANGES)
def test_changes_of_a_usual_size_are_found(change: str) -> None:
    """A third more orders, tasks slower by a quarter, a new branch: in 5 of 6 logs."""
    kind, later = change_points.CHANGES[change]
    logs = [
        change_points.history("plain", 300 + k, change_points.CHANGED, later, cut=bool(k % 2))
        for k in range(6)
    ]
    assert sum(any(c.kind == kind for c in found(log)) for log in logs) >= 5
