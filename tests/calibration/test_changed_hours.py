"""Hours that changed while the log went on are found, and the newest ones kept."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.agents import Resources, fit_resources
from calibration.settings import Settings
from calibration.window import open_window
from metagraph.shifts import Shift
from tests.calibration.builders import DAY, HOUR, WEEK, Row, snapshot
from tests.calibration.test_shifts import log_of, of

EARLY, LATE = (((Shift(a * HOUR, (a + 8) * HOUR, 0.9),),) * 5 + ((), ()) for a in (6, 14))
MONDAYS = (EARLY[0],) * 2 + ((),) * 5
WEEKS, CHANGED = 30, 18


def changed_to(week: tuple[tuple[Shift, ...], ...]) -> list[Row]:
    """Ann works as Bob does, and from one week on otherwise."""
    rows = [r for r in log_of({"ann": EARLY, "bob": EARLY}, WEEKS) if r[2] == "bob" or r[3] < CHANGED * WEEK]
    later = [r for r in log_of({"ann": week}, WEEKS) if r[3] >= CHANGED * WEEK]
    return rows + [(f"late{case}", *rest) for case, *rest in later]  # type: ignore[misc]


def found_in(rows: list[Row], **settings: bool) -> Resources:
    return fit_resources(open_window(snapshot(rows), 1.0), Settings(changed_hours=True, **settings))  # type: ignore[arg-type]


def hours(resources: Resources, name: str) -> list[tuple[float, float]]:
    return [(a / HOUR, b / HOUR) for a, b in of(resources, name)[1].hours]


@pytest.mark.parametrize("extra", [False, True])
def test_the_newest_shift_is_kept_and_the_past_is_measured_by_the_old_one(extra: bool) -> None:
    resources = found_in(changed_to(LATE), extra_hours=extra)
    assert "ann (on 2024-05-0" in resources.facts["hours that changed"]
    calendar = of(resources, "ann")[1]
    assert not calendar.shifts
    assert np.allclose(hours(resources, "ann"), [(24 * d + 14, 24 * d + 22) for d in range(5)], atol=0.3)
    clock = resources.timetable.clocks[0]
    for week, start in ((5, 6), (25, 14)):
        for asked, worked in ((start, 8), (20 - start, 0)):
            begin = week * WEEK + DAY + asked * HOUR
            assert float(clock.between(begin, begin + 8 * HOUR)) / HOUR == pytest.approx(worked, abs=0.3)


def test_other_weekdays_are_found() -> None:
    resources = found_in(changed_to(MONDAYS))
    assert resources.facts["hours that changed"].startswith("ann (on 2024-05-0")
    assert {int(a // 24) for a, _ in hours(resources, "ann")} == {0, 1}
    assert {int(a // 24) for a, _ in hours(resources, "bob")} == {0, 1, 2, 3, 4}


def test_shifts_that_alternate_are_no_change() -> None:
    rows = [
        row
        for k, week in enumerate((EARLY, LATE))
        for row in log_of({"ann": week, "bob": week}, WEEKS)
        if int(row[3] // WEEK) % 2 == k
    ]
    rows = [(f"{i}", *row[1:]) for i, row in enumerate(rows)]
    assert "hours that changed" not in found_in(rows).facts


def test_less_to_do_is_no_change() -> None:
    """A third of the work in the last weeks, most of it in the morning."""
    random = np.random.default_rng(1)
    rows = [
        row
        for row in log_of({"ann": EARLY, "bob": EARLY}, WEEKS)
        if row[3] < CHANGED * WEEK or random.random() < (0.6 if row[3] % DAY < 10 * HOUR else 0.15)
    ]
    assert "hours that changed" not in found_in(rows).facts
