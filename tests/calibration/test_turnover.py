"""Who left, and who came while the log went on, is found; who was only idle or away is not."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from calibration.agents import Resources, fit_resources
from calibration.settings import Settings
from calibration.window import open_window
from metagraph.shifts import Shift
from tests.calibration.builders import ORIGIN, WEEK, Row, snapshot
from tests.calibration.test_shifts import log_of

HOUR = 3600.0
WEEKS = 30
WEEK_OF = ((Shift(9 * HOUR, 17 * HOUR, 0.8),),) * 5 + ((), ())


def found_in(rows: list[Row], until_s: float | None = None) -> Resources:
    return fit_resources(open_window(snapshot(rows, until_s=until_s), 1.0), Settings(turnover=True))


def team(**spans: tuple[int, int]) -> list[Row]:
    """Three who are there all along, and others from one week to another."""
    rows = log_of(dict.fromkeys(("ann", "bob", "eve", *spans), WEEK_OF), WEEKS)
    return [
        row for row in rows if (w := spans.get(str(row[2]), (0, WEEKS)))[0] * WEEK <= row[3] < w[1] * WEEK
    ]


def test_who_left_is_given_no_more_work() -> None:
    resources = found_in(team(gone=(0, 20)))
    (gone,) = [agent for agent in resources.agents if agent.absences]
    (absence,) = gone.absences
    assert gone.id == "gone"
    assert (absence.end, absence.hands_over) == (None, True)
    assert timedelta(weeks=19) < absence.start - ORIGIN <= timedelta(weeks=20)
    assert f"gone (last seen {absence.start:%Y-%m-%d})" in resources.facts["agents who left"]
    assert "agents who came" not in resources.facts


def test_who_came_counts_from_the_first_day() -> None:
    """A third of the weeks, but as much work in each: weighted as the others."""
    resources = found_in(team(new=(20, WEEKS)))
    assert resources.facts["agents who came"].startswith("new (first seen 2024-05-20)")
    assert not any(agent.absences for agent in resources.agents)
    (queue,) = resources.queues
    assert queue.weights == pytest.approx([0.25] * 4, abs=0.03)


def test_who_alone_does_a_task_stays() -> None:
    rows = [(case, "B" if who == "gone" else a, who, s, e) for case, a, who, s, e in team(gone=(0, 20))]
    assert not any(agent.absences for agent in found_in(rows).agents)


def test_an_end_without_work_for_anybody_sends_nobody_home() -> None:
    """The last weeks of a log without its open cases: ever less for all, and nothing in the very last."""
    random = np.random.default_rng(5)
    rows = [r for r in team() if r[3] < 20 * WEEK or random.random() < np.exp(-(r[3] - 20 * WEEK) / WEEK)]
    assert max(r[3] for r in rows) < 26 * WEEK
    assert not any(agent.absences for agent in found_in(rows, WEEKS * WEEK).agents)


def test_who_has_been_away_as_long_before_is_not_gone() -> None:
    """Eight weeks in the middle of the log, and nine at its end; who was there all the time until then is."""
    for away, left in ((range(6, 14), False), (range(0), True)):
        rows = [r for r in team(gone=(0, 21)) if r[2] != "gone" or r[3] // WEEK not in away]
        assert any(agent.absences for agent in found_in(rows).agents) == left


@pytest.mark.parametrize("seed", range(3))
def test_rare_agents_are_rarely_called_gone(seed: int) -> None:
    """Forty who were seen six times each at random: none left, none came."""
    random = np.random.default_rng(seed)
    rows = team()
    for number in range(40):
        starts = random.choice([r[3] for r in rows if r[2] == "ann"], 6, replace=False)
        rows += [(f"r{number}.{s}", "A", f"rare{number}", float(s), float(s) + 60) for s in starts]
    resources = found_in(rows)
    assert not any(agent.absences for agent in resources.agents)
    assert "agents who came" not in resources.facts
