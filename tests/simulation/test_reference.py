"""What the engine's semantics say, one small case each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.blocks import Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.calendars import Calendar
from metagraph.distributions import Constant, Empirical
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.policies import Policy
from simulation.lowering import lower
from simulation.reference import run
from simulation.run import Run
from tests.simulation.builders import (
    ALWAYS,
    ORIGIN,
    constant,
    expon,
    orders,
    process,
    row,
    station,
)

HOUR = 3600.0


def simulated(model: Metagraph, releases: list[float], seed: int = 0, *priorities: str) -> Run:
    policy = Policy(priorities=priorities, preemption=False)
    return run(lower(model, orders(releases), origin=ORIGIN, policy=policy), seed)


def spans(log: Run, label: str) -> list[tuple[float, float]]:
    """(start, end) in hours of an activity's executions."""
    mine = np.flatnonzero(log.task == log.labels.index(label))
    return [(log.start_s[i] / HOUR, log.end_s[i] / HOUR) for i in mine]


def test_a_task_without_queue_runs_at_any_time_of_day() -> None:
    log = simulated(process(row("a"), Constant(HOUR)), [0.0, 60.0])
    assert spans(log, "A") == [(0.0, 1.0), (60 / HOUR, 1 + 60 / HOUR)]
    assert log.agent.tolist() == [-1, -1]


def test_work_pauses_off_shift_and_waits_for_the_morning() -> None:
    log = simulated(station(Constant(6 * HOUR), calendar="office"), [0.0, HOUR])
    assert spans(log, "A") == [(9.0, 15.0), (15.0, 24 + 13.0)]


def test_who_finishes_with_the_shift_goes_home() -> None:
    log = simulated(station(Constant(8 * HOUR), calendar="office"), [0.0, HOUR, 2 * HOUR])
    assert spans(log, "A") == [(9.0, 17.0), (24 + 9.0, 24 + 17.0), (48 + 9.0, 48 + 17.0)]


def test_no_work_takes_no_time_but_needs_somebody_on_shift() -> None:
    log = simulated(station(Constant(0.0), calendar="office"), [0.0, 10 * HOUR])
    assert spans(log, "A") == [(9.0, 9.0), (10.0, 10.0)]


def test_what_waits_overnight_goes_before_what_comes_with_the_shift() -> None:
    log = simulated(station(Constant(HOUR), calendar="office"), [9 * HOUR, 8 * HOUR])
    starts = dict(zip(log.order.tolist(), log.start_s / HOUR, strict=True))
    assert starts == {1: 9.0, 0: 10.0}


def test_a_delay_runs_in_wall_clock_time_before_the_queue() -> None:
    model = process(
        row("a"),
        Constant(HOUR),
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"]},
        agents=[Agent("x", "always")],
        delays={"a": constant(2 * HOUR)},
    )
    log = simulated(model, [0.0, 0.0])
    assert (log.ready_s / HOUR).tolist() == [2.0, 2.0]
    assert spans(log, "A") == [(2.0, 3.0), (3.0, 4.0)]
    nobody = simulated(process(row("a"), Constant(HOUR), delays={"a": constant(2 * HOUR)}), [0.0])
    assert spans(nobody, "A") == [(2.0, 3.0)]


def test_an_agent_with_capacity_works_on_several_items() -> None:
    log = simulated(station(Constant(HOUR), capacity=2), [0.0, 0.0, 0.0])
    assert spans(log, "A") == [(0.0, 1.0), (0.0, 1.0), (1.0, 2.0)]


def test_parallel_branches_meet_again() -> None:
    block = Sequence((Parallel("p", "m", (Leaf("a", "A"), Leaf("b", "B"))), Leaf("c", "C")))
    laws = {"a": Constant(HOUR), "b": Constant(3 * HOUR), "c": Constant(HOUR)}
    log = simulated(process(block, laws), [0.0])
    assert spans(log, "C") == [(3.0, 4.0)]
    assert log.completed_s.tolist() == [4 * HOUR]


def test_parallel_branches_in_a_loop_meet_every_time() -> None:
    block = Loop("l", "e", Parallel("p", "m", (Leaf("a", "A"), Leaf("b", "B"))), (Empty(),))
    laws = {"a": Constant(HOUR), "b": Constant(2 * HOUR)}
    log = simulated(process(block, laws), [0.0] * 100, seed=3)
    rounds = [np.bincount(log.order[log.task == task], minlength=100) for task in (0, 1)]
    assert rounds[0].max() > 2
    assert rounds[0].tolist() == rounds[1].tolist()
    assert log.completed_s.tolist() == (2 * HOUR * rounds[0]).tolist()


def test_a_choice_follows_its_weights() -> None:
    block = Choice("x", "m", (Leaf("a", "A"), Leaf("b", "B"), Leaf("c", "C"), Empty()))
    model = process(block, Constant(1.0), weights={"x": [0.2, 0.5, 0.0, 0.3]})
    log = simulated(model, [float(i) for i in range(5000)], seed=11)
    taken = Counter(log.labels[t] for t in log.task)
    for label, share in (("A", 0.2), ("B", 0.5), ("C", 0.0)):
        assert taken[label] / 5000 == pytest.approx(share, abs=3.3 * np.sqrt(share * (1 - share) / 5000))
    assert log.completed_s[np.setdiff1d(np.arange(5000), log.order)] == pytest.approx(
        np.setdiff1d(np.arange(5000), log.order)
    )


def test_a_loop_is_left_geometrically() -> None:
    block = Loop("l", "e", Leaf("a", "A"), (Leaf("r", "R"),))
    model = process(block, Constant(1.0), weights={"e": [0.25, 0.75]})
    log = simulated(model, [float(i) for i in range(4000)], seed=12)
    visits = np.bincount(log.order[log.task == log.labels.index("A")])
    assert visits.mean() == pytest.approx(4 / 3, abs=3.3 * np.sqrt(4 / 9 / 4000))


@pytest.mark.parametrize("redo", [Empty(), Leaf("r", "R")], ids=["gateways only", "with a task"])
def test_a_loop_that_is_never_left_is_an_error_not_a_hang(redo: Empty | Leaf) -> None:
    inner = Loop("l", "e", Choice("x", "m", (Empty(), Leaf("a", "A"))), (redo,))
    model = process(inner, Constant(1.0), weights={"e": [1.0, 0.0], "x": [1.0, 0.0]})
    with pytest.raises(DataError, match="order 1 passed 10000 nodes and is still at '"):
        simulated(model, [0.0])


def test_the_shorter_queue_is_joined() -> None:
    model = process(
        row("a"),
        Constant(HOUR),
        queues=[Queue("q", ("x",)), Queue("r", ("y",))],
        serves={"a": ["q", "r"]},
        agents=[Agent("x", "always"), Agent("y", "always")],
    )
    log = simulated(model, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert Counter(log.agent.tolist()) == {0: 3, 1: 3}
    first = [simulated(model, [0.0], seed=s).agent[0] for s in range(400)]
    assert 150 < sum(first) < 250  # ties by lot: within 5 standard deviations of a half


def test_an_agent_takes_what_has_waited_longest_in_any_of_its_queues() -> None:
    model = process(
        Choice("x", "m", (Leaf("a", "A"), Leaf("b", "B"))),
        Constant(HOUR),
        queues=[Queue("q", ("x",)), Queue("r", ("x",))],
        serves={"a": ["q"], "b": ["r"]},
        agents=[Agent("x", "always")],
    )
    log = simulated(model, [float(i) for i in range(40)], seed=4)
    assert set(log.task.tolist()) == {0, 1}
    by_start = log.order[np.argsort(log.start_s)]
    assert by_start.tolist() == sorted(by_start.tolist())


def test_idle_agents_are_drawn_by_their_weights() -> None:
    model = replace(
        station(Constant(1.0), servers=3),
        queues=(Queue("q", ("agent0", "agent1", "agent2"), (0.6, 0.4, 0.0)),),
    )
    far = simulated(model, [10.0 * i for i in range(4000)], seed=5)
    shares = np.bincount(far.agent, minlength=4) / 4000
    assert shares[0] == pytest.approx(0.6, abs=3.3 * np.sqrt(0.24 / 4000))
    assert shares[2] == 0.0
    assert shares[3] == 0.0


def test_agents_of_weight_0_help_when_all_others_are_busy() -> None:
    names = ("agent0", "agent1", "agent2")
    model = replace(station(Constant(1.0), servers=3), queues=(Queue("q", names, (1.0, 0.0, 0.0)),))
    seconds = [simulated(model, [0.0, 0.0], seed=s).agent.tolist() for s in range(200)]
    assert {first for first, _ in seconds} == {0}
    assert 60 < sum(second == 1 for _, second in seconds) < 140


def test_weights_are_shared_among_those_who_are_idle() -> None:
    """Of weights .5, .25, .25 with the first one off shift, the others get half each."""
    early = Calendar("early", ((0.0, HOUR),))
    model = station(Constant(1.0), servers=3)
    model = replace(
        model,
        calendars=(ALWAYS, early),
        agents=(Agent("agent0", "early"), Agent("agent1", "always"), Agent("agent2", "always")),
        queues=(Queue("q", ("agent0", "agent1", "agent2"), (0.5, 0.25, 0.25)),),
    )
    log = simulated(model, [2 * HOUR + 10.0 * i for i in range(4000)], seed=6)
    shares = np.bincount(log.agent, minlength=3) / 4000
    assert shares[0] == 0.0
    assert shares[1] == pytest.approx(0.5, abs=3.3 * np.sqrt(0.25 / 4000))


def test_a_shift_begins_for_all_at_once() -> None:
    """Who comes on together shares what waits by weights, not by the order in which agents are listed."""
    model = station(Constant(HOUR), servers=4, calendar="office")
    firsts = [simulated(model, [0.0], seed=s).agent[0] for s in range(400)]
    assert min(np.bincount(firsts, minlength=4)) > 60


def test_the_agent_in_reach_may_go_on_with_the_same_order() -> None:
    """Whoever finishes is as free for what follows as anybody else."""
    model = process(
        row("a", "b"),
        Constant(1.0),
        queues=[Queue("q", ("x", "y"))],
        serves={"a": ["q"], "b": ["q"]},
        agents=[Agent("x", "always"), Agent("y", "always")],
    )
    log = simulated(model, [10.0 * i for i in range(1000)], seed=7)
    same = (log.agent[log.task == 0] == log.agent[log.task == 1]).mean()
    assert same == pytest.approx(0.5, abs=3.3 * np.sqrt(0.25 / 1000))


def test_a_following_task_does_not_pass_those_who_wait() -> None:
    model = process(
        row("a", "b"),
        Constant(HOUR),
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"], "b": ["q"]},
        agents=[Agent("x", "always")],
    )
    log = simulated(model, [0.0, 1.0, 2.0])
    assert spans(log, "A") == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]
    assert spans(log, "B") == [(3.0, 4.0), (4.0, 5.0), (5.0, 6.0)]


def test_a_following_task_is_ranked_among_those_who_wait() -> None:
    model = process(
        row("a", "b"),
        {"a": Constant(2 * HOUR), "b": Constant(HOUR)},
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"], "b": ["q"]},
        agents=[Agent("x", "always")],
    )
    log = simulated(model, [0.0, 1.0], 0, "SERPT")
    assert spans(log, "A") == [(0.0, 2.0), (3.0, 5.0)]
    assert spans(log, "B") == [(2.0, 3.0), (5.0, 6.0)]


def test_random_numbers_are_common_across_policies() -> None:
    """The same order does the same work at the same task, in whatever order it is served."""
    model = station(expon(HOUR), servers=2)
    releases = [600.0 * i for i in range(60)]
    fifo, other = (simulated(model, releases, 8, rule) for rule in ("FIFO", "SERPT"))
    slow = simulated(station(expon(HOUR)), releases, seed=8)
    for log in (other, slow):
        assert dict(zip(log.order, np.round(log.end_s - log.start_s, 6), strict=True)) == dict(
            zip(fifo.order, np.round(fifo.end_s - fifo.start_s, 6), strict=True)
        )


def test_orders_may_be_given_in_any_order() -> None:
    given = orders([50.0, 10.0, 30.0])
    log = run(lower(station(Constant(5.0)), given, origin=ORIGIN), 0)
    assert log.completed_s.tolist() == [55.0, 15.0, 35.0]


def test_nothing_to_do() -> None:
    log = run(lower(station(Constant(5.0)), (), origin=ORIGIN), 0)
    assert len(log.order) == 0
    assert log.rows() == []


def test_results_cannot_be_changed() -> None:
    log = simulated(station(Constant(5.0)), [0.0])
    with pytest.raises(ValueError, match="read-only"):
        log.end_s[0] = 0.0


def test_an_empirical_duration_stays_in_its_range() -> None:
    log = simulated(station(Empirical((60.0, 120.0, 300.0))), [1000.0 * i for i in range(500)])
    work = log.end_s - log.start_s
    assert work.min() >= 60.0 - 1e-6
    assert work.max() <= 300.0 + 1e-6
    assert np.median(work) == pytest.approx(120.0, rel=0.1)
