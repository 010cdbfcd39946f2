"""Waits against a scan of every minute, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.agents import Resources, fit_resources
from calibration.availability import find_availability
from calibration.durations import work_seconds
from calibration.settings import Settings
from calibration.spans import Spans, both, union, without
from calibration.waits import delay_seconds, fit_waits
from calibration.window import open_window
from eventlogs.snapshot import Snapshot
from metagraph.blocks import Choice, Leaf, Sequence
from metagraph.distributions import Constant, ZeroInflated
from tests.calibration.builders import DAY, HOUR, WEEK, Row, chain, known, snapshot
from tests.calibration.test_calendars import office_rows

MINUTE = 60.0


def resources_of(log: Snapshot, **settings: bool) -> Resources:
    return fit_resources(open_window(log, 1.0), Settings(**settings))  # type: ignore[arg-type]


jobs = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 80), st.integers(1, 25)), min_size=1, max_size=14
)


@given(jobs, st.integers(0, 100), st.integers(0, 60), st.data())
def test_delays_agree_with_a_scan_of_every_minute(
    work: list[tuple[str, int, int]], start: int, wait: int, data: st.DataObject
) -> None:
    """Agents around the clock with whole-minute jobs: ready no earlier than the end of the last minute before
    the start in which one of the two was free, and just then if that is the start."""
    start = data.draw(st.sampled_from([start, *(s + n for _, s, n in work)]))
    rows: list[Row] = [(str(i), "A", who, s * MINUTE, (s + n) * MINUTE) for i, (who, s, n) in enumerate(work)]
    rows += [("x", "A", who, 200 * MINUTE, 201 * MINUTE) for who in "ab"]
    log = snapshot(rows)
    resources = resources_of(log, use_calendars=False)
    capacity = dict(zip(log.resources, resources.capacity.tolist(), strict=True))
    enabled = start - wait

    def busy(who: str, minute: int) -> bool:
        return bool(sum(w == who and s <= minute < s + n for w, s, n in work) >= capacity[who])

    free = [m for m in range(enabled, start) if not all(busy(w, m) for w in "ab")]
    least = (max(free) + 1 - enabled) * MINUTE if free else 0.0
    availability = find_availability(log, resources)
    before = availability.pool((0, 1)).last_before(np.array([start * MINUTE]))[0]
    assert max(before - enabled * MINUTE, 0.0) == pytest.approx(least)
    found = delay_seconds(np.array([enabled * MINUTE]), np.array([start * MINUTE]), (0, 1), availability)[0]
    assert least <= found <= wait * MINUTE
    if least == 0.0:
        assert found == 0.0, "nothing shows that it wasn't ready at once"


minutes = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=6)


def spans_of(pieces: list[tuple[int, int]]) -> tuple[Spans, set[int]]:
    inside = {m for start, n in pieces for m in range(start, start + n)}
    starts = sorted(m for m in inside if m - 1 not in inside)
    ends = sorted(m + 1 for m in inside if m + 1 not in inside)
    return Spans(np.array(starts, np.float64), np.array(ends, np.float64)), inside


@given(minutes, minutes, st.integers(0, 50), st.integers(0, 50))
def test_spans_are_sets_of_instants(
    a: list[tuple[int, int]], b: list[tuple[int, int]], t0: int, t1: int
) -> None:
    (x, in_x), (y, in_y) = spans_of(a), spans_of(b)
    t0, t1 = sorted((t0, t1))
    lo, hi = np.array([float(t0)]), np.array([float(t1)])
    for found, expected in (
        (union([x, y]), in_x | in_y),
        (both(x, y), in_x & in_y),
        (without(x, y), in_x - in_y),
    ):
        assert found.covered(lo, hi)[0] == len(expected & set(range(t0, t1)))
        before = [m + 1 for m in expected if m < t1]
        assert found.last_before(hi)[0] == (max(before) if before else -np.inf)
        assert (found.start[1:] > found.end[:-1]).all()


def test_a_night_is_no_delay() -> None:
    rows = office_rows("ann", 12, 31)
    log = snapshot(rows)
    resources = resources_of(log)
    availability = find_availability(log, resources)
    late, morning = np.array([WEEK + 18 * HOUR]), np.array([WEEK + DAY + 9 * HOUR])
    assert delay_seconds(late, morning, (0,), availability)[0] == 0.0


def test_short_pauses_between_executions_are_no_free_time() -> None:
    rows: list[Row] = [(str(i), "A", "ann", i * HOUR, (i + 1) * HOUR - 20) for i in range(30)]
    log = snapshot(rows)
    availability = find_availability(log, resources_of(log, use_calendars=False))
    found = delay_seconds(np.array([10.5 * HOUR]), np.array([20 * HOUR]), (0,), availability)
    assert found[0] == 0.0


def chained(n: int, delay_s: float, *, second: str | None = "bob") -> list[Row]:
    """Cases A, B, with B starting `delay_s` after A ends; nobody is ever busy."""
    rows: list[Row] = []
    for i in range(n):
        t = i * DAY
        rows.append((str(i), "A", "ann", t, t + HOUR))
        rows.append((str(i), "B", second, t + HOUR + delay_s, t + 2 * HOUR + delay_s))
    return rows


@pytest.mark.parametrize("contention", [True, False])
def test_waiting_that_nothing_explains_is_delay(contention: bool) -> None:
    made = known(snapshot(chained(40, 3 * HOUR)), chain("A", "B"))
    settings = Settings(use_calendars=False, use_contention=contention)
    window = open_window(made.snapshot, 1.0)
    found = fit_waits(window, made.replayed, fit_resources(window, settings), settings)
    assert set(found.delays) == {"B"}
    assert found.delays["B"].lookup("A").law == Constant(3 * HOUR)


def test_all_of_the_wait_for_nobody_is_delay() -> None:
    made = known(snapshot(chained(40, 2 * HOUR, second=None)), chain("A", "B"))
    window = open_window(made.snapshot, 1.0)
    resources = fit_resources(window, Settings())
    found = fit_waits(window, made.replayed, resources, Settings())
    assert "B" not in resources.queue_of
    assert found.delays["B"].default.law == Constant(2 * HOUR)
    work, _ = work_seconds(window, resources)
    assert work[made.snapshot.activity == 1].tolist() == [HOUR] * 40


def test_tasks_that_need_nobody_keep_the_hours_in_which_they_began() -> None:
    """A supplier answers from 9 to 10, a system pays from 2 to 3; ann, whose calendar says her hours, and
    tasks of which too little is known have no pace of their own."""
    rows: list[Row] = []
    for i in range(60):
        day = i * DAY
        rows.append((str(i), "Ask", "ann", day + 8 * HOUR, day + 8.5 * HOUR))
        rows.append((str(i), "Answer", None, day + (9 + i / 60) * HOUR, day + (9 + i / 60) * HOUR))
        rows.append((str(i), "Pay", None, day + (26 + i / 60) * HOUR, day + (26 + i / 60) * HOUR))
        rows.append((str(i), "Check", "ann", day + (32 + i / 60) * HOUR, day + 33.5 * HOUR))
    made = known(snapshot(rows), chain("Ask", "Answer", "Pay", "Check"))
    window, settings = open_window(made.snapshot, 1.0), Settings(own_hours=True)
    found = fit_waits(window, made.replayed, fit_resources(window, settings), settings)
    busiest = {pace.id: int(np.argmax(pace.rates)) % 24 for pace in found.paces}
    assert busiest == {"starts of work: Answer": 9, "starts of work: Pay": 2}
    assert {label: table.pace for label, table in found.delays.items() if table.pace} == {
        "Answer": "starts of work: Answer",
        "Pay": "starts of work: Pay",
    }
    few = open_window(snapshot(rows[:40]), 1.0)
    short = known(few.snapshot, chain("Ask", "Answer", "Pay", "Check"))
    assert not fit_waits(few, short.replayed, fit_resources(few, settings), settings).paces


def test_delays_differ_by_the_task_before() -> None:
    rows: list[Row] = []
    for i in range(100):
        t, first, gap = i * DAY, "XY"[i % 2], (HOUR, 5 * HOUR)[i % 2]
        rows.append((str(i), first, "ann", t, t + HOUR))
        rows.append((str(i), "B", "bob", t + HOUR + gap, t + 2 * HOUR + gap))
    block = Sequence((Choice("x", "x_end", (Leaf("x1", "X"), Leaf("y1", "Y"))), Leaf("b", "B")))
    made = known(snapshot(rows), block)
    settings = Settings(use_calendars=False)
    window = open_window(made.snapshot, 1.0)
    table = fit_waits(window, made.replayed, fit_resources(window, settings), settings).delays["B"]
    assert table.lookup("X").law == Constant(HOUR)
    assert table.lookup("Y").law == Constant(5 * HOUR)
    assert table.default.n == 100


def test_contention_is_no_delay() -> None:
    """One agent, a burst of cases: all waiting is for the agent."""
    rows: list[Row] = []
    for burst in range(20):
        for k in range(5):
            rows.append((f"{burst}.{k}", "A", None, burst * DAY, burst * DAY))
            start = burst * DAY + k * HOUR
            rows.append((f"{burst}.{k}", "B", "bob", start, start + HOUR))
    made = known(snapshot(rows), chain("A", "B"))
    settings = Settings(use_calendars=False)
    window = open_window(made.snapshot, 1.0)
    found = fit_waits(window, made.replayed, fit_resources(window, settings), settings)
    assert not found.delays
    apart = fit_waits(
        window,
        made.replayed,
        fit_resources(window, Settings(use_calendars=False, use_contention=False)),
        settings,
    )
    law = apart.delays["B"].default.law
    assert isinstance(law, ZeroInflated)
    assert law.mean() == pytest.approx(2 * HOUR)
