"""Work is measured by the days on which agents were there, so that a twin with drawn days is no slower."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.calibrate import calibrate
from calibration.day_edges import Spells, find_edges
from calibration.settings import Settings
from eventlogs.snapshot import Snapshot
from metagraph.agents import Agent, Queue
from metagraph.calendars import Calendar
from metagraph.distributions import Parametric
from metagraph.model import Metagraph
from metagraph.shifts import Shift
from tests.calibration.builders import HOUR, known
from tests.calibration.known_runs import log_of, stream
from tests.simulation.builders import process, row

WORK_S = 5400.0
WEEKS = 52
DAYS = {
    "crisp": (Shift(8 * HOUR, 17 * HOUR, 1.0),),
    "half days": (Shift(8 * HOUR, 12 * HOUR, 0.3), Shift(8 * HOUR, 17 * HOUR, 0.6)),
    "days off": (Shift(8 * HOUR, 17 * HOUR, 0.7),),
}


def truth_of(day: tuple[Shift, ...]) -> Metagraph:
    """Three tasks of 90 minutes, three agents for each, who come and go in the middle of work."""
    pools = {q: tuple(f"{q}{i}" for i in range(3)) for q in "abc"}
    return process(
        row("a", "b", "c"),
        Parametric("gamma", (3.0, 0.0, WORK_S / 3)),
        queues=[Queue(q, names) for q, names in pools.items()],
        serves={q: [q] for q in pools},
        agents=[Agent(name, "days", capacity=1) for names in pools.values() for name in names],
        calendars=[Calendar("days", shifts=(day,) * 5 + ((), ()))],
    )


def elapsed_s(log: Snapshot) -> float:
    first, last = (
        np.minimum.reduceat(log.start_s, log.offsets[:-1]),
        np.maximum.reduceat(log.end_s, log.offsets[:-1]),
    )
    return float(np.mean(last - first))


@pytest.mark.parametrize("load", [0.5, 0.8])
@pytest.mark.parametrize("name", DAYS)
def test_who_goes_home_in_the_middle_of_work_makes_nothing_slower(name: str, load: float) -> None:
    """Agents are busy for so much of the time that they are there.

    Work comes within 5 % over all tasks, and 12 % for each, hours a week within 7 %, elapsed times within
    10 % of the truth, or of the year learnt from, whose days off are others than an average year's; who is
    never away keeps weekly hours.
    """
    calendar = Calendar("days", shifts=(DAYS[name],) * 5 + ((), ()))
    per_h = load * 3 * calendar.weekly_hours() / 168 / (WORK_S / HOUR)
    truth, orders = truth_of(DAYS[name]), stream(per_h, WEEKS * 168, np.random.default_rng(1))
    log = log_of(truth, orders, 1)
    made = known(log, row("a", "b", "c"))
    settings = Settings(drawn_shifts=True, fast=True)
    found = calibrate(made.snapshot, made.skeleton, made.replayed, settings, name="found", seed=0)
    works = [task.durations.default.law.mean() for task in found.tasks()]
    assert works == pytest.approx([WORK_S] * 3, rel=0.12)
    assert np.mean(works) == pytest.approx(WORK_S, rel=0.05)
    calendars = {c.id: c for c in found.calendars}
    assert all(bool(calendars[agent.calendar].shifts) == (name != "crisp") for agent in found.agents)
    weekly = np.mean([calendars[agent.calendar].weekly_hours() for agent in found.agents])
    assert weekly == pytest.approx(calendar.weekly_hours(), rel=0.07)
    means = [np.mean([elapsed_s(log_of(twin, orders, seed)) for seed in range(4)]) for twin in (truth, found)]
    known_s = (float(means[0]), elapsed_s(log))
    assert 0.9 * min(known_s) < means[1] < 1.1 * max(known_s)


def test_ends_of_days_are_found_from_last_stamps() -> None:
    """Noon on a third of the days, five on the others; stamps every hour on average until then."""
    random = np.random.default_rng(3)
    ends = np.where(random.random(200) < 1 / 3, -5 * HOUR, 0.0)
    last = ends - random.exponential(HOUR, 200)
    spells = Spells(np.array([1000.0, 0.0]), np.array([1000 * HOUR, 0.0]))
    edges = find_edges(last, np.zeros(200, np.bool_), lambda grid: grid[None, :] - last[:, None], spells)
    noon = np.abs(edges.at_s + 5 * HOUR) <= 0.5 * HOUR
    five = edges.at_s == 0.0
    assert edges.weight[noon].sum() == pytest.approx(1 / 3, abs=0.1)
    assert edges.weight[five].sum() == pytest.approx(2 / 3, abs=0.1)


def test_silence_while_others_begin_nothing_ends_no_day() -> None:
    """Nobody begins anything in the afternoon: the last stamp of all is at noon, and all stay."""
    last = np.full(100, -5 * HOUR) - np.random.default_rng(4).exponential(HOUR, 100)
    last[:3] = -0.1 * HOUR
    none = np.zeros(100, np.bool_)
    spells = Spells(np.array([500.0, 0.0]), np.array([500.0, 0.0]))
    quiet = find_edges(last, none, lambda grid: np.zeros((100, len(grid))), spells)
    busy = find_edges(last, none, lambda grid: (grid[None, :] - last[:, None]) / HOUR, spells)
    assert quiet.at_s @ quiet.weight == 0.0
    assert busy.at_s @ busy.weight < -4 * HOUR
