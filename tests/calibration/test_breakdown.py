"""Where the time went, against a scan of every minute, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.agents import Resources, fit_resources
from calibration.breakdown import break_down, means, wait_parts
from calibration.later import before_and_above
from calibration.settings import Settings
from calibration.window import open_window
from eventlogs.snapshot import Snapshot
from tests.calibration.builders import DAY, HOUR, WEEK, Row, chain, known, snapshot
from tests.calibration.test_calendars import office_rows

MINUTE = 60.0
Cut = tuple[float, float, float, float, float]
"""Seconds of a wait: batching, off shift, busy, prioritised, remaining."""
small = st.integers(0, 9)


@given(st.lists(st.tuples(small, small, small), max_size=40), st.lists(st.tuples(small, small), max_size=9))
def test_sums_before_and_above_are_those_of_a_loop(
    points: list[tuple[int, int, int]], asked: list[tuple[int, int]]
) -> None:
    at, key, weight = (np.array([p[i] for p in points], np.float64) for i in range(3))
    before, above = (np.array([q[i] for q in asked], np.float64) for i in range(2))
    found = before_and_above(at, key, np.array([weight, np.ones(len(at))]), before, above)
    for i, (b, a) in enumerate(asked):
        inside = [w for t, k, w in points if t < b and k > a]
        assert found[:, i].tolist() == [sum(inside), len(inside)]


@st.composite
def logs(draw: st.DrawFn) -> tuple[Snapshot, np.ndarray, np.ndarray]:
    """A few executions in whole minutes, when each could have started, and the release of its batch."""
    job = st.tuples(
        *(st.sampled_from("AB"), st.sampled_from(["a", "a", "b", None]), st.integers(0, 60)),
        *(st.none() | st.integers(0, 15), st.integers(-5, 40)),
    )
    jobs = draw(st.lists(job, min_size=1, max_size=14))
    rows: list[Row] = [
        (str(i), task, who, start * MINUTE, None if n is None else (start + n) * MINUTE)
        for i, (task, who, start, n, _) in enumerate(jobs)
    ]
    log = snapshot(rows)
    of = [jobs[int(log.cases[case])] for case in log.case_of_row()]
    enabled = np.array([(start - before) * MINUTE for _, _, start, _, before in of])
    enabled[draw(st.lists(st.integers(0, len(of) - 1), max_size=2))] = np.nan
    release = np.array([draw(st.just(np.nan) | st.integers(-9, 70).map(lambda m: m * MINUTE)) for _ in of])
    return log, enabled, release


def every_minute(
    log: Snapshot, enabled: np.ndarray, resources: Resources, release: np.ndarray
) -> tuple[list[Cut | None], np.ndarray]:
    """The cuts minute by minute, and who was busy with what."""
    begin = np.minimum(enabled, log.start_s)
    ready = begin.copy()
    for i in range(log.n_events):
        if release[i] > ready[i]:
            ready[i] = min(release[i], log.start_s[i])
    end = np.where(np.isnan(log.end_s), log.until_s, log.end_s)
    cuts: list[Cut | None] = []
    with_what = np.zeros((len(log.activities),) * 2)
    for i, agent in enumerate(log.resource.tolist()):
        if np.isnan(begin[i]):
            cuts.append(None)
            continue
        off = busy = later = rest = 0.0
        for minute in np.arange(ready[i], log.start_s[i], MINUTE):
            if agent < 0 or resources.agentless[log.activity[i]]:
                rest += MINUTE
                continue
            held = [
                k
                for k in range(log.n_events)
                if log.resource[k] == agent and log.start_s[k] <= minute < end[k]
            ]
            if not resources.timetable.clocks[agent].is_on(minute):
                off += MINUTE
            elif len(held) < resources.capacity[agent]:
                rest += MINUTE
            else:
                came_later = sum(ready[k] > ready[i] for k in held)
                later += MINUTE * came_later / len(held)
                busy += MINUTE * (len(held) - came_later) / len(held)
                for k in held:
                    with_what[log.activity[i], log.activity[k]] += MINUTE / len(held)
        cuts.append((ready[i] - begin[i], off, busy, later, rest))
    return cuts, with_what


@given(logs(), st.booleans())
def test_parts_agree_with_a_scan_of_every_minute(
    made: tuple[Snapshot, np.ndarray, np.ndarray], shifts: bool
) -> None:
    log, enabled, release = made
    resources = fit_resources(open_window(log, 1.0), Settings(use_calendars=shifts))
    parts = wait_parts(log, enabled, resources, release)
    expected, with_what = every_minute(log, enabled, resources, release)
    for i, slow in enumerate(expected):
        if slow is None:
            assert np.isnan(parts.wait[i])
            continue
        told = (parts.batching, parts.off_shift, parts.busy, parts.prioritised, parts.remaining)
        fast = [float(part[i]) for part in told]
        assert np.allclose(fast, slow, atol=1e-3)
        assert sum(fast) == pytest.approx(parts.wait[i]), "the parts add up to the wait"
        assert min(fast) >= 0.0
    assert np.allclose(parts.busy_with, with_what, atol=1e-3)
    assert parts.busy_with.sum() == pytest.approx(np.nansum(parts.busy + parts.prioritised), abs=1e-3)


def test_a_night_is_off_shift() -> None:
    late, morning = WEEK + 18 * HOUR, WEEK + DAY + 9 * HOUR
    log = snapshot([*office_rows("ann", 12, 31), ("x", "B", "ann", morning, morning + 60)])
    row = int(np.flatnonzero(log.activity == 1)[0])
    enabled = log.start_s.copy()
    enabled[row] = late
    parts = wait_parts(log, enabled, fit_resources(open_window(log, 1.0), Settings()))
    assert (parts.off_shift[row], parts.wait[row], parts.remaining[row]) == (15 * HOUR, 15 * HOUR, 0.0)


def burst(last_first: bool) -> list[Row]:
    """One agent, three items that come an hour apart while it works two hours on each."""
    rows: list[Row] = []
    for day in range(20):
        for k in range(3):
            came = day * DAY + k * HOUR
            turn = {0: 0, 1: 2, 2: 1}[k] if last_first else k
            start = day * DAY + turn * 2 * HOUR
            rows.append((f"{day}.{k}", "A", None, came, came))
            rows.append((f"{day}.{k}", "B", "bob", start, start + 2 * HOUR))
    return rows


@pytest.mark.parametrize(("last_first", "prioritised"), [(False, 0.0), (True, 2 * HOUR / 3)])
def test_what_came_later_and_went_first_is_prioritised(last_first: bool, prioritised: float) -> None:
    made = known(snapshot(burst(last_first)), chain("A", "B"))
    found = break_down(made.snapshot, made.replayed, Settings(time_zone="UTC"))["B"]
    assert found.prioritised_s == pytest.approx(prioritised, abs=1e-3)
    assert found.busy_s + found.prioritised_s == pytest.approx(HOUR, abs=1e-3)
    assert found.busy_with == {"B": pytest.approx(HOUR, abs=1e-3)}
    assert (found.n, found.work_s, found.stopped_s, found.remaining_s) == (60, 2 * HOUR, 0.0, 0.0)


def collected(days: int) -> list[Row]:
    """Three orders a day, an hour apart, done as one piece once they are there; bob is there from before."""
    rows: list[Row] = []
    for day in range(days):
        begin = day * DAY + 31.0 * (day % 19) + 4 * HOUR
        rows.append((f"{day}", "C", "bob", begin - 4 * HOUR - 1000, begin - 4 * HOUR - 60))
        for k in range(3):
            came = begin - (2 - k) * HOUR
            rows.append((f"{day}.{k}", "A", None, came, came))
            rows.append((f"{day}.{k}", "B", "bob", begin, begin + 3000 + 7 * (day % 11)))
    return rows


def test_a_batch_waits_for_its_release() -> None:
    made = known(snapshot(collected(20)), chain("A", "B"))
    log = made.snapshot
    release = np.where(log.activity == 1, log.start_s - 0.5 * HOUR, np.nan)
    window = open_window(log, 1.0)
    resources = fit_resources(window, Settings(use_calendars=False))
    found = means(window, resources, wait_parts(log, made.replayed.enabled_s, resources, release))["B"]
    assert found.batching_s == pytest.approx(2 / 3 * HOUR), "1.5, 0.5 and 0 hours: the last was there"
    assert found.remaining_s == pytest.approx(HOUR / 3), "0.5, 0.5 and 0 hours"


def test_batches_that_the_log_shows_are_told_whatever_the_model_uses() -> None:
    made = known(snapshot(collected(60)), chain("A", "B"))
    found = break_down(made.snapshot, made.replayed, Settings(use_batching=False))["B"]
    assert found.batching_s == pytest.approx(HOUR), "two hours, one and none: until the third is there"
    assert found.waiting_s == pytest.approx(HOUR)


def test_from_start_to_end_is_work_or_stopped() -> None:
    rows = office_rows("ann", 12, 31)
    friday = WEEK + 4 * DAY + 16 * HOUR
    rows.append(("x", "B", "ann", friday, friday + 3 * DAY))
    log = snapshot(rows)
    window = open_window(log, 1.0)
    resources = fit_resources(window, Settings())
    found = means(window, resources, wait_parts(log, log.start_s, resources))["B"]
    assert found.work_s + found.stopped_s == pytest.approx(3 * DAY)
    assert found.stopped_s > 2 * DAY
    assert found.whole_s == pytest.approx(3 * DAY)
