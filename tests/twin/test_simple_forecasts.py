"""Residual life, what was known of cases at past instants, and quantiles recalibrated on past errors."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from eventlogs.snapshot import Snapshot
from tests.eventlogs.logs import T0, Row
from tests.twin.small import snapshot
from twin.backtest_forecasts import TWIN, Made
from twin.backtest_origins import Asked
from twin.boosted import boosted
from twin.conformal import FEWEST, recalibrated
from twin.learned_rows import COLUMNS, instants, rows_at
from twin.lifetimes import product_limit
from twin.outlook import LEVELS
from twin.residual_life import by_age, by_last

START = T0
HOUR = 3600.0


def test_what_is_left_of_a_life_without_memory_is_the_same_at_any_age() -> None:
    rng = np.random.default_rng(1)
    life, watched = rng.exponential(10.0, 20_000), rng.uniform(0, 120, 20_000)
    entered = np.where(rng.random(20_000) < 0.5, 0.0, rng.uniform(0, 8, 20_000))
    exact = -10 * np.log1p(-np.array(LEVELS))
    # Watched from birth, or from an age on that they had to reach.
    for since in (None, entered):
        seen = np.minimum(life, watched) > (0.0 if since is None else since)
        came = None if since is None else since[seen]
        found = product_limit(np.minimum(life, watched)[seen], (life <= watched)[seen], came)
        ages = np.array([0.0, 5.0, 15.0])[:, None]
        assert found.left(ages, np.array(LEVELS)[None]) == pytest.approx(
            np.tile(exact, (3, 1)), rel=0.1, abs=0.1
        )


def test_the_product_limit_is_as_by_hand() -> None:
    found = product_limit(np.array([1.0, 2.0, 2.0, 4.0, 5.0]), np.array([True, True, False, False, True]))
    # 4/5 live beyond 1, of four one dies at 2, two are left after it, and the last dies at 5.
    assert found.lives.tolist() == [1.0, 2.0, 5.0]
    assert found.alive == pytest.approx([0.8, 0.6, 0.0])
    assert found.deaths.tolist() == [1, 1, 1]
    # One that is watched from 1.5 on was not at risk at 1.
    late = product_limit(np.array([1.0, 2.0, 3.0]), np.ones(3, bool), np.array([0.0, 1.5, 0.0]))
    assert late.alive == pytest.approx([0.5, 0.25, 0.0])


def hours(case: str, activity: str, begin: float, end: float) -> Row:
    return Row(case, activity, "", begin * HOUR, end * HOUR)


def small_log(folder: Path) -> Snapshot:
    rows = []
    for i in range(12):
        rows += [hours(f"c{i:02d}", "A", i, i + 1), hours(f"c{i:02d}", "B", i + 2, i + 3 + i % 3)]
    rows += [hours("open", "A", 10, 11)]
    return snapshot(folder, rows, START + timedelta(hours=16), ["open"])


def test_what_was_known_at_an_instant_is_what_had_happened(tmp_path: Path) -> None:
    log = small_log(tmp_path)
    begin = float(log.start_s.min())
    seen = rows_at(log, [begin + 4.5 * HOUR])
    x = dict(zip(COLUMNS, seen.x.T, strict=False))
    names = [log.cases[i] for i in seen.case]
    # c00 ended at 3, c01 at 5: at 4:30 it is in B; c02 in B since 4; c03 waits since 4; c04 is in A.
    assert names == ["c01", "c02", "c03", "c04"]
    a, b, nothing = log.activities.index("A"), log.activities.index("B"), -1
    assert x["last activity"].tolist() == [a, a, a, nothing]
    assert x["activity that runs"].tolist() == [b, b, nothing, a]
    assert x["since the last event"] == pytest.approx(np.array([1.5, 0.5, 0.5, 0.5]) * HOUR)
    assert x["age"] == pytest.approx(np.array([3.5, 2.5, 1.5, 0.5]) * HOUR)
    assert x["since what runs began"] == pytest.approx([1.5 * HOUR, 0.5 * HOUR, -1, 0.5 * HOUR])
    # Five A and three B have begun, four A and one B have ended; nobody has done both.
    assert x["events of the last day"].tolist() == [13, 13, 13, 13]
    assert x["distinct activities"].tolist() == [1, 1, 1, 0]
    assert seen.left_s == pytest.approx(np.array([0.5, 2.5, 1.5, 3.5]) * HOUR)
    late = rows_at(log, [begin + 12.0 * HOUR])
    mine = [log.cases[i] for i in late.case].index("open")
    assert np.isinf(late.left_s[mine])
    assert late.seen_s[mine] == pytest.approx(4 * HOUR), "until the log stops"
    assert len(instants(log, 1000, 0.0)) == 15, "every instant at which something happened"


def test_who_is_open_gets_a_row_and_learns_from_all(tmp_path: Path) -> None:
    log = small_log(tmp_path)
    for found in (by_age(log), by_last(log)):
        assert found.shape == (1, len(LEVELS))
        assert (np.diff(found, axis=1) >= 0).all()
        assert (found >= 0).all()


def made(at: datetime, left_s: np.ndarray, came_s: np.ndarray, known: dict[str, float], since: str) -> Made:
    n = len(came_s)
    ids = tuple(f"{since}{i}" for i in range(n))
    rows = Asked(at, ids, np.ones(n), ("after A",) * n, came_s, np.ones(n, bool), np.zeros(n, bool), 1e9, 0)
    at_s = (at - START).total_seconds()
    return Made(rows, at_s, {TWIN: left_s}, {}, (), known, "refitted", "", 0.0)


def test_forecasts_that_were_twice_too_short_are_stretched() -> None:
    rng = np.random.default_rng(2)
    n = 400
    short = np.tile(-5 * HOUR * np.log1p(-np.array(LEVELS)), (n, 1))
    came = rng.exponential(10 * HOUR, n)
    week = START + timedelta(days=7)
    # A week later all but the longest are known to have ended.
    known = {f"a{i}": left for i, left in enumerate(came) if left < 7 * 86400}
    first = made(START, short, came, {}, "a")
    second = made(week, short, rng.exponential(10 * HOUR, n), known, "b")
    nothing, better = recalibrated([first, second])
    assert nothing is None, "nothing had come before the first"
    assert better is not None
    exact = -10 * HOUR * np.log1p(-np.array(LEVELS[:15]))
    assert better[0][:15] == pytest.approx(exact, rel=0.2)
    few = dict(list(known.items())[: FEWEST - 1])
    assert recalibrated([first, made(week, short, came, few, "b")])[1] is None


def test_orders_still_open_then_hold_the_recalibration_back_from_what_is_short() -> None:
    rng = np.random.default_rng(6)
    n = 2000
    right = np.tile(-10 * HOUR * np.log1p(-np.array(LEVELS)), (n, 1))
    came = rng.exponential(10 * HOUR, n)
    soon = START + timedelta(hours=8)
    known = {f"a{i}": left for i, left in enumerate(came) if left < 8 * HOUR}
    _, better = recalibrated([made(START, right, came, {}, "a"), made(soon, right, came, known, "b")])
    assert better is not None
    # Those that had ended by then are short, but the forecast was right and stays so.
    assert better[0][1:10] == pytest.approx(right[0][1:10], rel=0.15)


def test_boosting_knows_what_is_left_from_where_a_case_stands(tmp_path: Path) -> None:
    rows = []
    for i in range(60):
        rows += [hours(f"c{i:02d}", "A", i, i + 1), hours(f"c{i:02d}", "B", i + 2, i + 8)]
    rows += [hours("late", "A", 59, 60), hours("late", "B", 61, 70), hours("new", "A", 65, 65.5)]
    log = snapshot(tmp_path, rows, START + timedelta(hours=66), ["late", "new"])
    middle = boosted(log)[:, LEVELS.index(0.5)] / HOUR
    left = dict(zip([log.cases[i] for i in np.flatnonzero(log.is_open)], middle.tolist(), strict=True))
    assert left["late"] < 3 < 5 < left["new"] < 9
