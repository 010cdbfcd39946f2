"""Runs that are paused, looked at, forked, steered and ended early."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant
from metagraph.errors import DataError, UsageError
from metagraph.orders import Order
from metagraph.policies import PORTFOLIO, Policy
from metagraph.schedule import Schedule
from simulation.program import Floats, Ints, Program, Standing
from simulation.reference import Reference, run, session
from simulation.run import Run
from simulation.session import DELAYED, OPEN_ORDERS, WAITING, WORKING, Limits, Options
from tests.simulation.builders import constant, expon, process, row
from tests.simulation.small import HOUR, parted, program, served, single, spans, who, with_tasks, worth

RANKS = Policy(priorities=("RANK",), schedule=Schedule(()))


def busy(policy: Policy = PORTFOLIO["PDS"]) -> Program:
    """Three tasks, two of them with queues to choose from, calendars, losses, interruptions."""
    queues = [Queue(name, (name,)) for name in ("u", "v", "w", "x", "y")]
    model = process(
        row("a", "b", "c"),
        expon(1.6 * HOUR),
        queues=queues,
        serves={"a": ["u", "v"], "b": ["w", "x"], "c": ["y"]},
        agents=[
            Agent(q.id, "office" if q.id in "ux" else "always", capacity=1 + (q.id == "w")) for q in queues
        ],
        delays={"b": expon(HOUR)},
    )
    rng = np.random.default_rng(3)
    given = []
    for i, t in enumerate(np.cumsum(rng.exponential(HOUR, 120)).tolist()):
        due_s = t + float(rng.uniform(2, 30)) * HOUR
        given.append(Order(str(i), t, value=float(rng.uniform(1, 9)), due_s=due_s, lost_s=due_s + 9 * HOUR))
    return program(worth(with_tasks(model, preemptible=True)), given, policy)


def same(one: Run, other: Run) -> None:
    """Equal to the last bit."""
    assert one.log is not None
    assert other.log is not None
    for part in (one.log, one.tally):
        for name in part.__slots__:
            mine = getattr(part, name)
            theirs = getattr(other.log if part is one.log else other.tally, name)
            assert np.array_equal(mine, theirs, equal_nan=True), name
    assert np.array_equal(one.completed_s, other.completed_s, equal_nan=True)
    assert np.array_equal(one.lost_s, other.lost_s, equal_nan=True)
    assert (one.begin_s, one.until_s, one.stopped) == (other.begin_s, other.until_s, other.stopped)


@pytest.mark.parametrize("name", ["PDS", "F1", "S", "same agent"])
def test_pauses_and_forks_change_nothing(name: str) -> None:
    policy = PORTFOLIO.get(name, Policy(priorities=("SDD",), same_agent=True, resume_penalty_s=60.0))
    lowered = busy(policy)
    whole = run(lowered, 7)
    assert whole.tally.preempted.sum() > 5 or name == "F1"
    paused = session(lowered, 7)
    forks: list[Reference] = []
    while paused.run_to(paused.now_s + 9 * HOUR):
        forks.append(paused.fork())
        paused.snapshot()
    same(paused.result(whole.until_s), whole)
    for fork in forks[::4]:
        fork.run_to(inf)
        same(fork.result(), whole)


def test_a_fork_goes_its_own_way() -> None:
    paused = session(busy(), 7)
    paused.run_to(40 * HOUR)
    before = paused.snapshot()
    fork = paused.fork()
    fork.run_to(inf)
    after = paused.snapshot()
    assert np.array_equal(before.items.tobytes(), after.items.tobytes())
    assert paused.now_s == 40 * HOUR


def test_a_run_ends_at_its_horizon_events_there_included() -> None:
    log = run(program(single(), [Order("1", 0.0), Order("2", 0.5 * HOUR)]), 0, until_s=HOUR)
    assert log.stopped == "horizon"
    assert log.until_s == HOUR
    assert log.completed_s.tolist()[0] == HOUR
    assert np.isnan(log.end_s[1])
    assert log.tally.busy_s.tolist() == [HOUR]
    assert log.tally.waiting_s.tolist() == [0.5 * HOUR]
    assert log.tally.wip_s == 1.5 * HOUR
    later = run(program(single(), [Order("1", 0.0)]), 0, until_s=9 * HOUR)
    assert (later.stopped, later.until_s) == ("end", 9 * HOUR)
    assert later.tally.on_s.tolist() == [9 * HOUR]


def test_it_can_pause_at_releases() -> None:
    given = [Order("1", 0.0), Order("2", 1.5 * HOUR), Order("3", 1.5 * HOUR), Order("4", 9 * HOUR)]
    going = session(program(single(), given), 0)
    seen = []
    while going.run_to(inf, pause_on_release=True):
        seen.append((going.now_s / HOUR, len(going.snapshot().journeys)))
    assert seen == [(0.0, 1), (1.5, 2), (9.0, 1)]
    fresh = session(program(single(), given), 0)
    assert fresh.run_to(HOUR / 2, pause_on_release=True)
    assert fresh.now_s == 0.0
    assert fresh.run_to(HOUR / 2, pause_on_release=True)
    assert fresh.now_s == HOUR / 2
    assert fresh.next_s() == HOUR


def test_what_lives_is_shown() -> None:
    model = process(
        row("a"),
        Constant(HOUR),
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"]},
        agents=[Agent("x", "always")],
        delays={"a": constant(0.25 * HOUR)},
    )
    going = session(program(model, [Order("1", 0.0), Order("2", 0.0), Order("3", 0.5 * HOUR)]), 0)
    going.run_to(0.5 * HOUR)
    items = going.snapshot().items
    assert items["status"].tolist() == [WORKING, WAITING, DELAYED]
    assert items["ready_s"].tolist() == [0.25 * HOUR, 0.25 * HOUR, 0.75 * HOUR]
    assert items["done_s"].tolist() == [0.25 * HOUR, 0.0, 0.0]
    assert items["left_s"].tolist() == [0.75 * HOUR, 0.0, 0.0]
    assert items["finish_s"][0] == 1.25 * HOUR
    assert going.snapshot().journeys["tokens"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("limits", "stopped", "executions"),
    [
        (Limits(executions=3), "executions", 3),
        (Limits(open_orders=2), "open orders", 0),
        (Limits(), "end", 9),
    ],
)
def test_limits_end_a_run_and_are_told(limits: Limits, stopped: str, executions: int) -> None:
    lowered = program(single(), [Order(str(i), float(i)) for i in range(9)])
    log = run(lowered, 0, until_s=99 * HOUR, options=Options(limits=limits))
    assert (log.stopped, log.tally.executions) == (stopped, executions)
    if stopped != "end":
        assert log.until_s < 4 * HOUR
        going = session(lowered, 0, options=Options(limits=limits))
        assert not going.run_to(inf)
        assert not going.run_to(99 * HOUR)
        assert going.now_s == log.until_s


def test_by_default_a_run_is_cut_at_a_fixed_number_or_twice_what_it_begins_with() -> None:
    few = program(single(), [Order("1", 0.0)])
    assert Limits().most_open(few) == OPEN_ORDERS
    many = replace(few, standing=(Standing((), 0, {}, {}),) * OPEN_ORDERS)
    assert Limits().most_open(many) == 2 * OPEN_ORDERS
    assert Limits(open_orders=5).most_open(many) == 5


def test_without_a_log_only_the_log_is_missing() -> None:
    lowered = busy()
    plain, bare = run(lowered, 1), run(lowered, 1, options=Options(log=False))
    assert bare.log is None
    assert np.array_equal(plain.completed_s, bare.completed_s, equal_nan=True)
    assert plain.tally.wait_s.tolist() == bare.tally.wait_s.tolist()


def test_sums_are_those_of_the_log_and_the_paths() -> None:
    log = run(busy(PORTFOLIO["F2"]), 5, options=Options(paths=True))
    waits = np.bincount(log.executions.node, log.start_s - log.enabled_s, len(log.tally.wait_s))
    assert log.tally.wait_s == pytest.approx(waits)
    assert log.tally.started.tolist() == np.bincount(log.executions.node, minlength=len(waits)).tolist()
    for q, queue in enumerate(log.program.network.queue_ids):
        times, waiting = log.queue_path(queue)
        area = (np.append(times[1:], log.until_s) - times) * waiting
        assert log.tally.waiting_s[q] == pytest.approx(area.sum())
        assert log.tally.longest[q] == waiting.max()
    times, wip = log.wip()
    assert log.tally.wip_s == pytest.approx(((np.append(times[1:], log.until_s) - times) * wip).sum())
    assert log.tally.wip_most == wip.max()


def test_antithetic_replications_mirror_each_other() -> None:
    lowered = program(single(expon(1.0)), [Order(str(i), 100.0 * i) for i in range(500)])
    work = [run(lowered, 3, r, options=Options(antithetic=True)) for r in (0, 1)]
    one, other = (log.end_s - log.start_s for log in work)
    assert np.corrcoef(one, other)[0, 1] < -0.5
    assert np.array_equal(run(lowered, 3, 0).end_s, work[0].end_s)


def ranked(given: list[Order]) -> tuple[Reference, Floats, Ints]:
    going = session(program(parted("xy"), given, RANKS), 0)
    n = len(given)
    return going, np.full((n, 1), inf), np.full((n, 1), -1, np.int32)


def test_a_new_schedule_counts_from_now_on() -> None:
    """All wait for x; the new plan sends 4 and 3 to y, in this order, and 5 before what is worked on at x."""
    given = [Order(str(i), 0.0) for i in range(6)]
    going, ranks, assigned = ranked(given)
    assigned[:] = 0
    going.reschedule(ranks, assigned)
    going.run_to(0.5 * HOUR)
    assert going.snapshot().items["queue"].tolist() == [0] * 6
    ranks[:, 0] = [3.0, 2.5, 2.0, 1.0, 0.0, 0.5]
    assigned[3:5] = 1
    going.reschedule(ranks, assigned)
    going.run_to(inf)
    log = going.result()
    assert who(log) == {"0": "x", "1": "x", "2": "x", "3": "y", "4": "y", "5": "x"}
    assert served(log)[:2] == ["0", "4"]
    assert spans(log)["5"] == (0.5, 1.5)
    assert spans(log)["4"] == (0.5, 1.5)
    assert spans(log)["2"] == (1.5, 2.5)
    assert spans(log)["0"] == (0.0, 4.0)  # has the last rank at x now


def test_what_is_worked_on_has_its_new_rank_at_once() -> None:
    going, ranks, assigned = ranked([Order("1", 0.0), Order("2", 0.0)])
    ranks[:, 0], assigned[:] = [5.0, 6.0], 0
    going.reschedule(ranks, assigned)
    going.run_to(0.5 * HOUR)
    ranks[:, 0] = [0.0, 1.0]
    going.reschedule(ranks, assigned)
    going.run_to(inf)
    assert spans(going.result()) == {"1": (0.0, 1.0), "2": (1.0, 2.0)}


def test_a_schedule_needs_ranks() -> None:
    going = session(program(single(), [Order("1", 0.0)]), 0)
    with pytest.raises(UsageError, match="RANK"):
        going.reschedule(np.zeros((1, 1)), np.zeros((1, 1), np.int32))
    ranked_, ranks, assigned = ranked([Order("1", 0.0)])
    with pytest.raises(UsageError, match=r"\(1, 1\)"):
        ranked_.reschedule(ranks[:0], assigned)


def test_an_announced_end_moves_a_task_without_agents() -> None:
    for eta_h, end_h in ((5.0, 5.0), (0.75, 0.75), (0.1, 0.5)):
        going = session(program(process(row("a"), Constant(2 * HOUR)), [Order("1", 0.0)]), 0)
        going.run_to(0.5 * HOUR)
        going.announce(0, going.snapshot().items["node"][0], eta_h * HOUR)
        going.run_to(inf)
        assert going.result().completed_s.tolist() == [end_h * HOUR]


def test_an_announced_instant_holds_work_back() -> None:
    """2 waits and is put off until 3 h; 3 comes before it."""
    given = [Order("1", 0.0), Order("2", 0.1 * HOUR), Order("3", 0.2 * HOUR)]
    going = session(program(single(), given), 0)
    going.run_to(0.5 * HOUR)
    node = int(going.snapshot().items["node"][0])
    going.announce(1, node, 3 * HOUR)
    assert going.snapshot().items["status"].tolist() == [WORKING, DELAYED, WAITING]
    going.announce(2, node, 0.1 * HOUR)  # is there already: nothing changes
    assert going.snapshot().items["status"].tolist() == [WORKING, DELAYED, WAITING]
    with pytest.raises(DataError, match="order 1 at task 'a', but it is already worked on"):
        going.announce(0, node, HOUR)
    going.run_to(inf)
    assert spans(going.result()) == {"1": (0.0, 1.0), "3": (1.0, 2.0), "2": (3.0, 4.0)}
    with pytest.raises(DataError, match="isn't there"):
        going.announce(0, node, HOUR)


def test_an_end_that_is_over_cannot_be_counted_to() -> None:
    going = session(program(single(), [Order("1", 0.0)]), 0)
    going.run_to(HOUR / 2)
    with pytest.raises(UsageError, match="over"):
        going.result(0.0)
