"""What was suspended was neither worked on nor in anybody's hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from calibration.agents import fit_resources
from calibration.availability import find_availability
from calibration.durations import work_seconds
from calibration.settings import Settings
from calibration.window import open_window
from eventlogs.snapshot import Pauses, Snapshot
from metagraph.distributions import Constant
from tests.calibration.builders import DAY, HOUR, WEEK, Row, snapshot
from tests.calibration.test_calendars import office_rows
from tests.calibration.test_durations import durations_of
from tests.calibration.test_hands import capacity_of


def with_pauses(rows: list[Row], pauses: Mapping[str, list[tuple[float, float]]]) -> Snapshot:
    """The rows, those of a case (of one row) suspended from and to these instants."""
    log = snapshot(rows)
    row_of = {case: i for i, case in enumerate(log.cases)}
    marks = sorted((row_of[case], *pause) for case, all_of in pauses.items() for pause in all_of)
    row, start, end = (np.array(column) for column in zip(*marks, strict=True))
    return replace(log, pauses=Pauses(row.astype(np.int64), start, end))


def test_durations_with_pauses_come_out_as_without_them() -> None:
    random = np.random.default_rng(31)
    work = random.gamma(2, 900, 300).round(3)
    idle = random.uniform(60, 6 * HOUR, 300).round(3)
    begin = np.arange(300) * DAY
    plain: list[Row] = [(f"c{i}", "A", "ann", begin[i], begin[i] + work[i]) for i in range(300)]
    longer: list[Row] = [(f"c{i}", "A", "ann", begin[i], begin[i] + work[i] + idle[i]) for i in range(300)]
    halves = begin + work / 2
    paused = with_pauses(longer, {f"c{i}": [(halves[i], halves[i] + idle[i])] for i in range(300)})
    alike = Settings(use_calendars=False)
    found = durations_of(paused, settings=alike).tables["A"].default
    known = durations_of(snapshot(plain), settings=alike).tables["A"].default
    assert found.n == known.n == 300
    for q in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert found.law.ppf(q) == pytest.approx(known.law.ppf(q), rel=1e-3)


def test_a_pause_over_night_takes_no_working_time() -> None:
    rows = office_rows("ann", 12, 24)
    nights = [(f"n{w}{d}", w * WEEK + d * DAY) for w in range(10) for d in range(4)]
    rows += [(case, "Night", "ann", t + 15 * HOUR, t + DAY + 10 * HOUR) for case, t in nights]
    # One hour of the afternoon and all of the night: two of the three hours on shift remain.
    log = with_pauses(rows, {case: [(t + 16 * HOUR, t + DAY + 9 * HOUR)] for case, t in nights})
    assert durations_of(log).tables["Night"].default.law == Constant(2 * HOUR)
    clockless = durations_of(log, settings=Settings(use_calendars=False))
    assert clockless.tables["Night"].default.law == Constant(2 * HOUR)


def test_what_is_suspended_all_the_time_is_no_work_and_not_reported() -> None:
    rows = office_rows("ann", 12, 25)
    rows += [("x", "Odd", "ann", 20 * HOUR, 21 * HOUR)]
    log = with_pauses(rows, {"x": [(20 * HOUR, 21 * HOUR)]})
    window = open_window(log, 1.0)
    work, defaults = work_seconds(window, fit_resources(window, Settings()))
    assert work[log.activity == log.activities.index("Odd")].tolist() == [0.0]
    assert defaults == []


def test_whoever_suspends_one_item_has_a_hand_free_for_the_next() -> None:
    rows: list[Row] = []
    pauses = {}
    for i in range(40):
        t = i * DAY
        rows += [(f"a{i}", "A", "ann", t, t + 3 * HOUR), (f"b{i}", "B", "ann", t + HOUR, t + 2 * HOUR)]
        pauses[f"a{i}"] = [(t + HOUR, t + 2 * HOUR)]
    log = with_pauses(rows, pauses)
    assert capacity_of(log) == [1]
    assert capacity_of(snapshot(rows)) == [2]
    alone = with_pauses([row for row in rows if row[1] == "A"], pauses)
    window = open_window(alone, 1.0)
    busy = find_availability(alone, fit_resources(window, Settings(use_calendars=False))).busy[0]
    assert busy.covered(np.array([0.0]), np.array([3 * HOUR])).tolist() == [2 * HOUR]
