"""Durations count working time, and tell groups apart only where they differ."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.agents import fit_resources
from calibration.duration_rows import Groups
from calibration.durations import Durations, fit_durations
from calibration.settings import Settings
from calibration.window import open_window
from eventlogs.snapshot import Snapshot
from metagraph.distributions import Constant, Parametric
from tests.calibration.builders import DAY, HOUR, WEEK, Row, snapshot
from tests.calibration.test_calendars import office_rows


def durations_of(log: Snapshot, groups: Groups | None = None, settings: Settings | None = None) -> Durations:
    window, settings = open_window(log, 1.0), settings or Settings()
    nothing = ("",) * log.n_cases
    return fit_durations(
        window, fit_resources(window, settings), groups or Groups(nothing, nothing), settings
    )


def lasting(activity: str, agent: str, seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[Row]:
    return [
        (f"{agent}{i}", activity, agent, i * DAY, i * DAY + float(s)) for i, s in enumerate(seconds.round(3))
    ]


def test_agents_get_rows_where_they_differ() -> None:
    random = np.random.default_rng(21)
    log = snapshot(
        lasting("A", "fast", random.lognormal(6, 0.5, 200))
        + lasting("A", "slow", random.lognormal(7, 0.5, 200))
        + lasting("A", "slow too", random.lognormal(7, 0.5, 200))
        + lasting("A", "rare", random.lognormal(3, 0.1, 10))
    )
    table = durations_of(log).tables["A"]
    assert {row.agent for row in table.rows} == {None, "fast", "slow", "slow too"}
    fast = table.lookup("", "", "fast")
    assert fast.level == "agent"
    assert fast.n == 200
    assert isinstance(fast.law, Parametric)
    assert fast.law.mean() == pytest.approx(np.exp(6 + 0.125), rel=0.15)
    assert table.lookup("", "", "rare") is table.default


def test_agents_that_are_alike_share_the_task_s_law() -> None:
    random = np.random.default_rng(22)
    log = snapshot([r for a in "abcd" for r in lasting("A", a, random.gamma(2, 300, 150))])
    table = durations_of(log).tables["A"]
    assert [row.agent for row in table.rows] == [None]
    assert table.default.n == 600
    assert table.default.law.mean() == pytest.approx(600, rel=0.1)


def test_classes_get_rows_and_agents_are_told_apart_within_them() -> None:
    random = np.random.default_rng(23)
    rows: list[Row] = []
    for i in range(600):
        big, agent = i % 2 == 1, "ab"[i // 2 % 2]
        mean = (900 if agent == "a" else 2700) if big else 180
        rows.append((f"{i}", "A", agent, i * DAY, i * DAY + float(random.gamma(9, mean / 9))))
    log = snapshot(rows)
    cls = tuple("big" if int(case) % 2 else "small" for case in log.cases)
    table = durations_of(log, Groups(cls, ("",) * log.n_cases)).tables["A"]
    assert {(row.cls, row.agent) for row in table.rows} == {
        (None, None),
        ("big", None),
        ("small", None),
        ("big", "a"),
        ("big", "b"),
    }
    assert table.lookup("big", "", "a").law.mean() == pytest.approx(900, rel=0.1)
    assert table.lookup("small", "", "a").law.mean() == pytest.approx(180, rel=0.1)


def test_work_over_night_counts_on_shift_only() -> None:
    rows = office_rows("ann", 12, 24)
    # Begun at 16:00 and ended at 10:00 the next working day: two hours of work.
    rows += [
        (f"n{w}{d}", "Night", "ann", w * WEEK + d * DAY + 16 * HOUR, w * WEEK + (d + 1) * DAY + 10 * HOUR)
        for w in range(10)
        for d in range(4)
    ]
    found = durations_of(snapshot(rows))
    assert found.tables["Night"].default.law == Constant(2 * HOUR)
    clockless = durations_of(snapshot(rows), settings=Settings(use_calendars=False))
    assert clockless.tables["Night"].default.law == Constant(18 * HOUR)


def test_work_wholly_off_shift_is_taken_as_it_is_and_reported() -> None:
    rows = office_rows("ann", 12, 25)
    rows += [("x", "Odd", "ann", 20 * HOUR, 21 * HOUR)]
    found = durations_of(snapshot(rows))
    assert found.tables["Odd"].default.law == Constant(HOUR)
    said = [d for d in found.defaults if d.where == "task Odd"]
    assert [(d.missing, d.assumed) for d in said] == [
        ("working hours in 1 execution off shift", "wall-clock time")
    ]


def test_few_executions_are_reported() -> None:
    found = durations_of(snapshot(lasting("A", "ann", np.random.default_rng(26).gamma(2, 300, 12))))
    assert [d.where for d in found.defaults if "only 12" in d.missing] == ["duration of A"]
    assert "only 12" in found.tables["A"].default.note


def test_running_executions_stretch_the_law() -> None:
    random = np.random.default_rng(27)
    work = random.exponential(3 * DAY, 600)
    starts = np.sort(random.uniform(0, 8 * DAY, 600))
    rows: list[Row] = [
        (str(i), "A", "ann", float(s), float(s + w) if s + w < 8 * DAY else None)
        for i, (s, w) in enumerate(zip(starts, work, strict=True))
    ]
    log = snapshot(rows, until_s=8 * DAY, open_cases=[r[0] for r in rows if r[4] is None])
    ended = [r[4] - r[3] for r in rows if r[4] is not None]
    law = durations_of(log, settings=Settings(use_calendars=False)).tables["A"].default.law
    assert np.mean(ended) < 2.3 * DAY
    assert law.mean() == pytest.approx(3 * DAY, rel=0.1)
