"""Many runs: the same numbers wherever they are run, and figures that add up."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np
import pytest

import simulation.replicate
from metagraph.distributions import Constant
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, Order
from simulation.arrivals import generate_orders
from simulation.kpis import Kpis, interval, kpis, summary
from simulation.program import Program, lower
from simulation.reference import run
from simulation.replicate import Cancelled, replicate
from simulation.run import Run
from tests.simulation.builders import ORIGIN, expon, orders, process, row, station

HOUR = 3600.0


@dataclass(frozen=True)
class Source:
    """Orders of their own for each replication."""

    model: Metagraph

    def __call__(self, replication: int) -> Program:
        new = generate_orders(self.model, ORIGIN, origin=ORIGIN, seed=5, replication=replication, cases=40)
        return lower(self.model, new, origin=ORIGIN)


def last_completion(log: Run) -> float:
    return float(np.nanmax(log.completed_s))


def source() -> Source:
    return Source(process(row("a", "b"), expon(600.0), arrivals=Arrivals((6.0,) * 168)))


def test_other_processes_give_the_same_numbers_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = replicate(source(), 5, 12, workers=1, reduce=last_completion)
    monkeypatch.setattr(simulation.replicate, "_WORTH_S", 0.0)
    calls: list[tuple[int, int]] = []
    spread = replicate(
        source(), 5, 12, workers=2, reduce=last_completion, progress=lambda *now: calls.append(now)
    )
    assert spread == alone
    assert len(set(alone)) == 12
    assert calls[0] == (1, 12)
    assert calls[-1] == (12, 12)


def test_each_replication_is_the_run_of_its_number() -> None:
    program = source()(0)
    logs = replicate(program, 7, 3)
    assert [log.log() for log in logs] == [run(program, 7, r).log() for r in range(3)]


def test_what_cannot_be_sent_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation.replicate, "_WORTH_S", 0.0)
    here = replicate(source(), 5, 3, workers=2, reduce=lambda log: last_completion(log) / HOUR)
    assert here == [t / HOUR for t in replicate(source(), 5, 3, workers=1, reduce=last_completion)]


def never(replication: int) -> Program:
    if replication == 2:
        raise DataError("no")
    return source()(replication)


def test_faults_come_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation.replicate, "_WORTH_S", 0.0)
    with pytest.raises(DataError, match="no"):
        replicate(never, 5, 4, workers=2, reduce=last_completion)


def test_cancelled() -> None:
    seen: list[int] = []
    with pytest.raises(Cancelled):
        replicate(
            source(),
            5,
            100,
            workers=1,
            progress=lambda done, _: seen.append(done),
            cancel=lambda: len(seen) == 3,
        )
    assert seen == [1, 2, 3]


def test_figures_of_a_run_that_is_known() -> None:
    """Three orders of an hour each at 0, 0 and 30 min, one agent, looked at until 2.5 h."""
    log = run(
        lower(station(Constant(HOUR)), orders([0.0, 0.0, 1800.0]), origin=ORIGIN), 0, until_s=2.5 * HOUR
    )
    found = kpis(log)
    assert (found.orders, found.completed, found.lost) == (3, 2, 0)
    assert found.cycle_mean_s == 1.5 * HOUR
    assert found.cycle_median_s == 1.5 * HOUR
    assert found.waiting_mean_s == pytest.approx((0 + 1 + 1.5) / 3 * HOUR)
    assert found.throughput_per_h == pytest.approx(2 / 2.5)
    assert found.wip_mean == pytest.approx((1 + 2 + 2) / 2.5)
    assert found.utilisation == {"agent0": 1.0}
    assert [c.tolist() for c in log.wip()] == [[0.0, 1800.0, HOUR, 2 * HOUR], [2, 3, 2, 1]]
    assert log.log()[2][4] is None


def test_utilisation_is_of_the_hours_on_shift() -> None:
    model = station(Constant(4 * HOUR), calendar="office", capacity=2)
    log = run(lower(model, [Order("1", 0.0)], origin=ORIGIN), 0, until_s=7 * 86400.0)
    assert kpis(log).utilisation["agent0"] == pytest.approx(4 / 80)


def test_summary_over_replications() -> None:
    found = summary(replicate(source(), 5, 10, workers=1, reduce=kpis))
    assert found["completed"].mean == 40
    assert found["cycle_mean_s"].low < found["cycle_mean_s"].mean < found["cycle_mean_s"].high
    assert found["cycle_mean_s"].mean == pytest.approx(1200.0, rel=0.2)
    assert found["cycle_mean_s"].n == 10


def test_interval_is_the_t_interval() -> None:
    """Mean 3, s = 1.5811, t(0.975, 4) = 2.7764."""
    found = interval([1.0, 2.0, 3.0, 4.0, 5.0, float("nan")])
    assert (found.mean, found.n) == (3.0, 5)
    assert found.high - found.mean == pytest.approx(2.7764 * 1.5811 / 5**0.5, abs=1e-3)
    assert isnan(interval([]).mean)
    assert interval([2.0]).low == 2.0


def test_a_run_without_completions_has_no_cycle_times() -> None:
    log = run(lower(station(Constant(HOUR)), orders([0.0]), origin=ORIGIN), 0, until_s=60.0)
    found: Kpis = kpis(log)
    assert isnan(found.cycle_mean_s)
    assert found.utilisation == {"agent0": 1.0}
