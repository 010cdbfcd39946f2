"""What is in hand at once, and whether that slows the work down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.agents import fit_resources
from calibration.durations import work_seconds
from calibration.hands import fit_capacity, hands
from calibration.local_time import WeekClock, local_time
from calibration.settings import Settings
from calibration.window import open_window
from eventlogs.snapshot import Snapshot
from metagraph.agents import UNLIMITED
from tests.calibration.builders import DAY, HOUR, ORIGIN, Row, snapshot


def always(log: Snapshot) -> list[WeekClock]:
    clock = WeekClock(local_time(ORIGIN, 0.0, log.until_s, "UTC"), np.ones(672, np.bool_))
    return [clock] * len(log.resources)


def capacity_of(log: Snapshot) -> list[int]:
    return [int(c) for c in fit_capacity(hands(log), always(log))]


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=12)


@given(spans)
def test_capacity_is_a_quantile_of_beginnings_or_of_minutes(work: list[tuple[int, int]]) -> None:
    rows: list[Row] = [(str(i), "A", "ann", s * 60.0, (s + n) * 60.0) for i, (s, n) in enumerate(work)]

    def level(t: int) -> int:
        return sum(s <= t < s + n for s, n in work)

    def quantile(levels: list[int]) -> int:
        return sorted(levels)[int(np.ceil(0.95 * len(levels) - 1e-9)) - 1]

    by_minute = quantile([level(t) for t in range(81) if level(t)])
    assert capacity_of(snapshot(rows)) == [min(by_minute, quantile([level(s) for s, _ in work]))]


@given(spans)
def test_divided_work_adds_up_to_the_time_with_anything_in_hand(work: list[tuple[int, int]]) -> None:
    rows: list[Row] = [(str(i), "A", "ann", s * 60.0, (s + n) * 60.0) for i, (s, n) in enumerate(work)]
    log = snapshot(rows)
    held = hands(log)
    busy = sum(any(s <= t < s + n for s, n in work) for t in range(81))
    assert held.divided(always(log)).sum() == pytest.approx(60 * busy)
    assert held.work(always(log)).tolist() == pytest.approx((log.end_s - log.start_s)[held.rows].tolist())


def test_items_left_open_over_night_make_nobody_work_on_twenty_at_once() -> None:
    rows: list[Row] = []
    for day in (d for d in range(60) if d % 7 < 5):
        for i in range(20):
            start = day * DAY + 9 * HOUR + i * 0.4 * HOUR
            rows.append((f"{day}.{i}", "A", "ann", start, start + 0.3 * HOUR))
        if day % 3 == 0:
            evening = day * DAY + 17 * HOUR
            rows += [(f"{day} {k}", "A", "ann", evening, evening + 15 * HOUR) for k in range(20)]
    log = snapshot(rows)
    assert max(capacity_of(log)) > 10, "by the clock on the wall they are worked on for long"
    assert [a.capacity for a in fit_resources(open_window(log, 1.0), Settings()).agents] == [1]


def multitasking(seed: int, shared: bool, n: int = 400) -> list[Row]:
    """Ann takes up items as they come; they go on at full rate, or share her."""
    random = np.random.default_rng(seed)
    come = np.cumsum(random.exponential(1000, n))
    work = random.lognormal(6, 0.6, n)
    if not shared:
        return [(str(i), "A", "ann", float(come[i]), float(come[i] + work[i])) for i in range(n)]
    left: dict[int, float] = {}
    rows: list[Row] = []
    now, i = 0.0, 0
    while i < n or left:
        first = min(left, key=lambda k: left[k]) if left else -1
        ends = now + left[first] * len(left) if left else np.inf
        comes = float(come[i]) if i < n else np.inf
        then = min(ends, comes)
        for k in left:
            left[k] -= (then - now) / len(left)
        now = then
        if ends <= comes:
            del left[first]
            rows.append((str(first), "A", "ann", float(come[first]), now))
        else:
            left[i] = float(work[i])
            i += 1
    return rows


def test_sharing_is_found_and_work_is_what_is_left_without_it() -> None:
    rows = multitasking(41, shared=True)
    log = snapshot(rows)
    window = open_window(log, 1.0)
    found = fit_resources(window, Settings(use_calendars=False))
    assert [a.sharing for a in found.agents] == ["shared"]
    assert "ann divide their time" in found.facts["items side by side"]
    work, _ = work_seconds(window, found)
    assert work.mean() == pytest.approx(np.exp(6 + 0.18), rel=0.1)
    assert (log.end_s - log.start_s).mean() > 1.5 * work.mean()


def test_work_side_by_side_at_full_rate_is_no_sharing() -> None:
    wrong = 0
    for seed in range(40):
        log = snapshot(multitasking(seed, shared=False, n=200))
        found = fit_resources(open_window(log, 1.0), Settings(use_calendars=False))
        wrong += found.agents[0].sharing == "shared"
    assert wrong <= 1, "1 in 700 by chance"
    assert "full rate" in found.facts["items side by side"]


def test_sharing_is_found_nearly_always() -> None:
    right = 0
    for seed in range(20):
        log = snapshot(multitasking(seed, shared=True, n=200))
        right += fit_resources(open_window(log, 1.0), Settings(use_calendars=False)).shared[0]
    assert right >= 19


def two_at_a_time(seed: int, shared: bool, n: int = 600) -> list[Row]:
    """Short work that piles up: the next begins in the second in which another ends, in whole seconds."""
    random = np.random.default_rng(seed)
    come = np.sort(np.floor(random.uniform(0, n / 15, n)) * 3600.0 + random.uniform(0, 1800, n))
    left: dict[int, float] = {}
    begun: dict[int, float] = {}
    rows: list[Row] = []
    now, i = 0.0, 0
    while i < n or left:
        if len(left) < 2 and i < n and (come[i] <= now or not left):
            now = max(now, float(come[i]))
            left[i], begun[i] = float(random.exponential(40)), now
            i += 1
            continue
        rate = 1 / len(left) if shared else 1.0
        first = min(left, key=lambda k: left[k])
        then = now + left[first] / rate
        comes = float(come[i]) if len(left) < 2 and i < n else np.inf
        step = min(then, comes) - now
        left = {k: w - step * rate for k, w in left.items()}
        now += step
        if then <= comes:
            del left[first]
            rows.append((str(first), "A", "ann", float(np.floor(begun[first])), float(np.floor(now))))
    return rows


@pytest.mark.parametrize("shared", [True, False])
def test_sharing_is_told_where_work_piles_up(shared: bool) -> None:
    for seed in range(5):
        log = snapshot(two_at_a_time(seed, shared))
        found = fit_resources(open_window(log, 1.0), Settings(use_calendars=False))
        assert found.shared.tolist() == [shared]


@given(spans)
def test_before_is_the_level_when_nothing_of_the_instant_has_happened(work: list[tuple[int, int]]) -> None:
    rows: list[Row] = [(str(i), "A", "ann", s * 60.0, (s + n) * 60.0) for i, (s, n) in enumerate(work)]
    held = hands(snapshot(rows))
    wanted = [sum(s * 60.0 < t <= (s + n) * 60.0 for s, n in work) for t in held.times]
    assert held.before().tolist() == wanted


def test_nobody_shares_where_nobody_waits() -> None:
    log = snapshot(multitasking(41, shared=True))
    found = fit_resources(open_window(log, 1.0), Settings(use_contention=False))
    assert [(a.sharing, a.capacity) for a in found.agents] == [("parallel", UNLIMITED)]
