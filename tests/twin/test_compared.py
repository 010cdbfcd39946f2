"""Rescheduling beside policies: the same orders and durations for all, differences by replication."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from examples.by_hand import example3
from examples.paper.example3_day import orders
from metagraph.errors import UsageError
from metagraph.policies import PORTFOLIO
from optimization.settings import Settings, SolveOptions
from simulation.backends import Portable
from simulation.kpis import Kpis
from simulation.replicate import replicate
from tests.simulation.builders import ORIGIN
from twin.compared import PLANNED, Comparison, ReschedulingRequest, _contenders, _Job, compare_policies
from twin.given import Given
from twin.progress import CancelledError, Progress
from twin.reschedule import Rescheduling
from twin.simulation_request import SimulationRequest, begin_of, source_of

HOW = Rescheduling(
    on_arrival=False,
    every_s=3600.0,
    settings=Settings(dt_s=900.0),
    solve=SolveOptions(threads=1),
    charged=10.0,
)
DRAWN = SimulationRequest(Given(example3()), start=ORIGIN, until="4", replications=2, seed=5)
LISTED = SimulationRequest(Given(example3(), ORIGIN, orders(3, 4.0)), until="5", replications=2, seed=5)


def compared(simulation: SimulationRequest, *against: str) -> Comparison:
    return compare_policies(ReschedulingRequest(simulation, HOW, against), Progress())


@pytest.mark.parametrize("simulation", [DRAWN, LISTED])
def test_policies_run_as_they_do_alone(simulation: SimulationRequest) -> None:
    found = compared(simulation, "PD", "own")
    assert list(found.runs) == [PLANNED, "PD", "own"]
    source, until_s = source_of(replace(simulation, policy=PORTFOLIO["PD"]), begin_of(simulation))
    alone = replicate(source, simulation.seed, 2, until_s=until_s)
    theirs = [one.kpis for one in found.runs["PD"]]
    assert [same(*pair) for pair in zip(theirs, alone, strict=True)] == [True, True]
    planned = [one.kpis for one in found.runs[PLANNED]]
    assert [one.orders for one in planned] == [one.orders for one in theirs]
    mean = sum(a.profit - b.profit for a, b in zip(planned, theirs, strict=True)) / 2
    assert found.differences["PD"]["profit"].mean == pytest.approx(mean)
    assert found.figures[PLANNED]["profit"].n == 2


def same(ours: Kpis, theirs: Kpis) -> bool:
    return all(
        getattr(ours, name) == getattr(theirs, name)
        for name in ("orders", "completed", "lost", "preemptions", "cycle_mean_s", "profit", "on_time")
    )


def test_plans_are_told_by_replication() -> None:
    found = compared(LISTED)
    for made in found.optimizations:
        asked = [(one.asked_s - made[0].asked_s) / 3600 for one in made]
        assert asked[:5] == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.0])
        assert [one.because for one in made[1:]] == [("period",)] * (len(made) - 1)
        assert all(one.effective_s in (one.asked_s, one.asked_s + 10.0) for one in made[:5])
        assert all(one.gap <= 0.01 and one.bound >= one.objective for one in made)
    assert found.begin == ORIGIN + timedelta(seconds=LISTED.given.orders[0].release_s)
    assert any("grid of 15 min" in note for note in found.notes)


def test_a_replication_can_go_to_another_process() -> None:
    begin = begin_of(LISTED)
    job = _Job(LISTED, begin, _contenders(ReschedulingRequest(LISTED, HOW, ("PD",)), begin, Path.cwd()))
    here, there = job(1), Portable(job).job()(1)
    assert [same(a.kpis, b.kpis) for a, b in zip(here, there, strict=True)] == [True, True]


def test_a_horizon_until_the_end_ends_with_the_simulation() -> None:
    shrinking = replace(HOW, settings=replace(HOW.settings, horizon="shrinking"))
    found = compare_policies(ReschedulingRequest(replace(DRAWN, replications=1), shrinking), Progress())
    end_s = 4 * 3600.0
    made = found.optimizations[0]
    assert made
    for one in made:
        assert one.periods == math.floor((end_s - one.asked_s) / 900 + 1e-6)
    endless = replace(DRAWN, until="", cases=3, replications=1)
    with pytest.raises(UsageError, match="say with --until when the simulation stops"):
        compare_policies(ReschedulingRequest(endless, shrinking), Progress())


def test_faults() -> None:
    with pytest.raises(UsageError, match="--policy QQ: unknown"):
        compared(DRAWN, "QQ")
    with pytest.raises(UsageError, match="--compare rescheduled: that is the name"):
        compared(DRAWN, PLANNED)


def test_the_user_can_stop() -> None:
    progress = Progress(cancelled=lambda: True)
    with pytest.raises(CancelledError):
        compare_policies(ReschedulingRequest(DRAWN, HOW), progress)
