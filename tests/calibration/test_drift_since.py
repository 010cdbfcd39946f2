"""Drift since a twin was learnt: found where it is, told apart from chance where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.change_points import WEEK, Process, history
from calibration.drift_since import Finding, Looked, look
from calibration.drift_streams import Watched
from calibration.drift_tests import exact, holm
from calibration.inclusion import EndOfLog
from discovery.replay_log import replay_log
from eventlogs.snapshot import Snapshot
from eventlogs.split import known_at
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Sequence, skeleton
from tests.calibration.builders import DAY, HOUR, Row, snapshot

WEEKS = 40
HALF = WEEKS // 2
B = Loop("again", "more", Leaf("b", "B"), (Empty(),))
BLOCK: Block = Sequence(
    (
        Leaf("a", "A"),
        Choice("xor", "join", (B, Empty())),
        Leaf("c", "C"),
        Choice("or", "end", (Loop("l", "m", Leaf("b2", "B2"), (Empty(),)), Empty())),
    )
)
"""Of the logs of benchmarks.change_points, with the repetitions of B after C as B2."""
SEEN = EndOfLog(False, "")
A_WEEK = 0.05 * 7 / 30


def renamed(log: Snapshot) -> Snapshot:
    """B after C is B2, so that no label stands at two tasks."""
    case = log.case_of_row()
    after_c = np.zeros(log.n_events, np.bool_)
    for i in range(1, log.n_events):
        same = case[i] == case[i - 1]
        after_c[i] = same and (after_c[i - 1] or log.activities[log.activity[i - 1]] == "C")
    activity = np.where(after_c & (log.activity == 1), 4, log.activity).astype(np.int32)
    return replace(log, activities=("A", "B", "C", "X", "B2"), activity=activity)


def looked(log: Snapshot, weeks: float, since: float = HALF) -> Looked:
    """What a look so many weeks after the twin was learnt finds."""
    known = renamed(known_at(log, (since + weeks) * WEEK))
    watched = Watched(known, 0.0, since * WEEK, SEEN)
    return look(watched, replay_log(known, BLOCK), dict(skeleton(BLOCK).tasks))


def found(log: Snapshot, weeks: float) -> tuple[Finding, ...]:
    return looked(log, weeks).drift(A_WEEK)


def test_without_change_hardly_any_look_finds_one() -> None:
    """Ten months of looks, one a week, may raise half an alarm; three would be one in 70 such tests."""
    alarms = [
        bool(found(history("plain", seed, WEEKS), weeks))
        for seed in range(700, 710)
        for weeks in (1, 2, 3, 4)
    ]
    assert sum(alarms) <= 2


CASES = [
    ("arrivals", "", Process(rate=1.4), 6),
    ("durations", "C", Process(work=1.4), 4),
    ("structure", "X", Process(branch=0.15), 2),
]


@pytest.mark.parametrize(("kind", "what", "later", "weeks"), CASES)
def test_what_changed_is_found(kind: str, what: str, later: Process, weeks: int) -> None:
    for seed in (1, 2, 3):
        mine = [(one.kind, one.what) for one in found(history("plain", seed, WEEKS, later), weeks)]
        assert (kind, what) in mine


def test_sizes_and_instants_are_told() -> None:
    log = history("plain", 4, WEEKS, Process(work=1.5))
    (one,) = (f for f in looked(log, 10).findings if (f.kind, f.what) == ("durations", "C"))
    # Orders that came before are under way for a while, and their work isn't slower.
    assert one.tested.size == pytest.approx(1.5, rel=0.1)
    assert 1.2 < one.tested.low < one.tested.size < one.tested.high < 1.7
    assert abs(one.begun_s - HALF * WEEK) < 2 * WEEK


def test_what_changed_lately_isnt_hidden_by_what_went_before() -> None:
    """Learnt after four weeks, changed after twenty."""
    log = history("plain", 5, WEEKS, Process(work=1.6))
    known = looked(log, HALF - 8 + 3, since=8)
    (one,) = (f for f in known.findings if (f.kind, f.what) == ("durations", "C"))
    assert one.p < A_WEEK
    assert one.begun_s > (HALF - 2) * WEEK


def test_work_that_runs_counts_by_what_it_will_come_to() -> None:
    """Without what still runs at the end, the newest executions would look short."""
    draw = np.random.default_rng(1)
    rows: list[Row] = []
    for i, t in enumerate(np.sort(draw.uniform(0, 200 * DAY, 1500)).tolist()):
        end = t + float(draw.exponential(5 * DAY))
        rows.append((str(i), "A", None, t, end if end < 200 * DAY else None))
    log = snapshot(rows, until_s=200 * DAY, open_cases={r[0] for r in rows if r[4] is None})
    block = Leaf("a", "A")
    known = look(Watched(log, 0.0, 190 * DAY, SEEN), replay_log(log, block), {"a": "A"})
    (work,) = (f for f in known.findings if f.kind == "durations")
    assert work.tested.p > 0.01


def test_agents_who_left_are_missed_after_days_on_which_others_worked() -> None:
    rows: list[Row] = []
    for day in range(120):
        for k, who in enumerate(("ann", "bob", "cy")):
            if who == "ann" and day >= 100:
                continue
            start = day * DAY + (8 + k) * HOUR
            rows.append((f"{day}-{k}", "A", who, start, start + HOUR))
    log = snapshot(rows, until_s=120 * DAY)
    silent = [f for f in _of(log, 90).drift(A_WEEK) if f.kind == "agents"]
    assert [f.what for f in silent] == ["ann"]
    assert silent[0].tested.after == 20
    closed = snapshot([r for r in rows if float(r[3]) < 100 * DAY], until_s=120 * DAY)
    assert not [f for f in _of(closed, 90).drift(A_WEEK) if f.kind == "agents"], "nobody worked"


def _of(log: Snapshot, since_days: float) -> Looked:
    return look(Watched(log, 0.0, since_days * DAY, SEEN), replay_log(log, Leaf("a", "A")), {"a": "A"})


def test_holms_correction_by_hand() -> None:
    """The smallest times three, the next times two, never falling: Holm (1979)."""
    assert holm(np.array([0.02, 0.01, 0.04])) == pytest.approx([0.04, 0.03, 0.04])


def test_the_exact_test_is_fishers() -> None:
    from scipy.stats import fisher_exact

    mine = exact(3, 100, 9, 80)
    theirs = fisher_exact(np.array([[9, 71], [3, 97]]), alternative="greater").pvalue
    assert mine.p == pytest.approx(float(theirs))
    assert mine.low < mine.size < mine.high
