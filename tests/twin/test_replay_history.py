"""Replaying history: the rule that made it gives it back, others meet the same orders and work."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from metagraph.distributions import Constant, Distribution
from metagraph.nodes import DelayTable, Task
from metagraph.paces import Pace
from metagraph.policies import PORTFOLIO, Policy
from simulation import kernel, reference
from simulation.streams import Purpose, Stream
from simulation.tables import tabulate
from tests.simulation.builders import fitted, process, row
from tests.twin.replays import DAY, HOUR, log_of, lognormal, orders, played, workshop
from twin.as_of import as_of
from twin.replay_history import History, history
from twin.replay_program import Replay

OWN = Policy()
LAWS: dict[str, Distribution] = {
    "note": Constant(0.0),
    "post": Constant(60.0),
    "check": lognormal(0.8),
}
MODEL = workshop()
GIVEN = orders(220, 6.2, 3)
MADE = played(MODEL, GIVEN, OWN, 5)
LOG = log_of(MADE, GIVEN)
AT, STOP = 14 * DAY + 11 * HOUR, 90 * DAY


@pytest.fixture(scope="module")
def found() -> History:
    return history(MODEL, LOG, AT, STOP)


def ends(replay: Replay, replication: int = 0) -> dict[str, float]:
    program = replay(replication)
    return dict(zip(program.orders.ids, kernel.run(program, 99, replication).completed_s, strict=True))


def test_the_rule_in_force_gives_history_back(found: History) -> None:
    assert len(found.state.orders) > 5
    assert found.placed == found.executed
    assert found.held == 0.0
    done = ends(Replay(found, OWN, 7))
    for name, at_s in done.items():
        assert at_s == pytest.approx(found.ended_s[name], abs=1e-3), name


def test_both_engines_replay_alike(found: History) -> None:
    for policy in (OWN, PORTFOLIO["S"]):
        program = Replay(found, policy, 7)(0)
        one, other = (engine.run(program, 99, 0).completed_s for engine in (reference, kernel))
        assert np.array_equal(one, other)


def test_another_policy_meets_the_same_ways_and_work(found: History) -> None:
    program = Replay(found, PORTFOLIO["S"], 7)(0)
    run = kernel.run(program, 99, 0)
    rows = run.executions
    mine = np.flatnonzero(rows.order >= len(found.state.orders))
    seen = sorted((run.order_ids[rows.order[i]], run.labels[run.task[i]]) for i in mine)
    then = MADE.executions
    names = {run.order_ids[i] for i in rows.order[mine]}
    were = [(MADE.order_ids[then.order[i]], MADE.labels[MADE.task[i]]) for i in range(len(then))]
    assert seen == sorted(row for row in were if row[0] in names)
    assert not np.array_equal(run.completed_s, kernel.run(Replay(found, OWN, 7)(0), 99, 0).completed_s)


def test_another_agent_has_the_same_level_of_work(found: History) -> None:
    replay = Replay(found, OWN, 7)
    network = replay.program.network
    told = replay(0).orders.recorded
    assert told is not None
    make = network.node_ids.index("make")
    quick, slow = (tabulate(lognormal(hours)) for hours in (1.0, 2.5))
    agents = network.agent_ids
    rows = told[(told["node"] == make) & (told["agent"] >= 0)]
    assert {agents[i] for i in rows["agent"]} == {"Quick", "Slow"}
    for one in rows:
        own, other = (quick, slow) if agents[one["agent"]] == "Quick" else (slow, quick)
        assert own.draw(one["level"]) == pytest.approx(one["work_s"], rel=1e-6)
        assert other.draw(one["level"]) != pytest.approx(one["work_s"], rel=1e-2)


def test_delays_that_the_log_hides_are_drawn_between_what_it_shows() -> None:
    nodes = tuple(
        replace(node, delay=DelayTable(fitted(lognormal(3.0)), {}))
        if isinstance(node, Task) and node.id == "polish"
        else node
        for node in MODEL.nodes
    )
    model = replace(MODEL, nodes=nodes)
    run = played(model, GIVEN, OWN, 6)
    found = history(model, log_of(run, GIVEN), AT, STOP)
    rows = {
        (run.order_ids[run.order[i]], run.labels[run.task[i]]): run.ready_s[i] - run.enabled_s[i]
        for i in range(len(run.executions))
    }
    shown = hidden = 0
    for one in found.executions:
        if one.node != "polish":
            continue
        true_s = rows[one.order, "Polish"]
        if one.delay_s == one.delay_s:
            shown += 1
            assert one.delay_s == pytest.approx(true_s, abs=1.0)
        else:
            hidden += 1
            low, high = one.delay_level
            assert one.delay is not None
            assert low - 1e-9 <= one.delay.level(true_s) <= high + 1e-9
    assert shown > 5
    assert hidden > 5
    mine = [one for one in found.executions if one.delay is not None]
    assert all(one.held_s <= one.waited_s for one in mine)
    assert any(one.held_s < one.waited_s - HOUR for one in mine)
    assert all(
        one.held_s == pytest.approx(one.waited_s, abs=1.0) for one in mine if one.delay_s == one.delay_s
    )
    assert found.held == pytest.approx(
        sum(one.held_s for one in mine) / sum(one.waited_s for one in found.executions)
    )
    assert 0.0 < found.held < 1.0
    replay = Replay(found, OWN, 7)
    first, second = (replay(k).orders.recorded for k in (0, 1))
    assert first is not None
    assert second is not None
    differ = first["delay_s"] != second["delay_s"]
    assert np.count_nonzero(differ & ~np.isnan(first["delay_s"])) == hidden


def test_nothing_of_later_is_known_at_an_instant() -> None:
    known = as_of(LOG, AT)
    assert (known.start_s <= AT).all()
    assert not (known.end_s > AT).any()
    early = as_of(LOG, float(LOG.start_s.min()))
    assert early.activities == ("Note",)
    assert early.resources == ()


def test_what_is_unknown_differs_between_replications_only(found: History) -> None:
    replay = Replay(found, OWN, 7)
    one, again = replay(3), replay(3)
    assert one.orders.recorded is not None
    assert again.orders.recorded is not None
    assert one.orders.recorded.tobytes() == again.orders.recorded.tobytes()


def test_a_task_that_was_left_out_takes_no_time() -> None:
    """Of an order that is over all is known: what the log doesn't have of it wasn't done."""
    case = LOG.cases.index("o00080")
    rows = np.arange(LOG.n_events)
    pack = LOG.activities.index("Pack")
    gone = (LOG.case_of_row() == case) & (LOG.activity == pack)
    kept = rows[~gone]
    offsets = LOG.offsets - np.searchsorted(np.flatnonzero(gone), LOG.offsets)
    names = ("activity", "resource", "start_s", "end_s")
    columns = {name: getattr(LOG, name)[kept] for name in names}
    log = replace(LOG, offsets=offsets, **columns)
    run = kernel.run(Replay(history(MODEL, log, AT, STOP), OWN, 7)(0), 99, 0)
    mine = [
        run.order_ids[o] == "o00080" and run.labels[t] == "Pack"
        for o, t in zip(run.order, run.task, strict=True)
    ]
    assert run.end_s[mine] == run.start_s[mine]


def test_interruptions_are_no_work() -> None:
    """The log shows when work began and ended, not that something more urgent came in between."""
    policy = PORTFOLIO["D"]
    nodes = tuple(replace(n, preemptible=True) if isinstance(n, Task) else n for n in MODEL.nodes)
    model = replace(MODEL, nodes=nodes)
    run = played(model, GIVEN, policy, 5)
    rows = run.executions
    assert (rows.preemptions > 0).sum() > 5
    # At an instant at which nothing is interrupted: a state read from a log doesn't tell of that.
    at_s = 14 * DAY + 3 * HOUR
    found = history(model, log_of(run, GIVEN), at_s, STOP)
    table, stream = tabulate(lognormal(0.5)), Stream(5, 0)
    pack = run.program.network.node_ids.index("pack")
    interrupted = {
        run.order_ids[rows.order[i]] for i in np.flatnonzero(rows.preemptions) if rows.node[i] == pack
    }
    checked = 0
    for one in found.executions:
        if one.node == "pack" and one.order in interrupted:
            number = run.order_ids.index(one.order)
            true_s = table.draw(stream.uniform(number, pack, 1, Purpose.WORK))
            assert one.work_s == pytest.approx(true_s, abs=1.0)
            checked += 1
    assert checked > 3


@pytest.mark.parametrize(("pace", "since"), [(None, "ready"), ("day", "ready"), (None, "release")])
def test_delays_under_way_at_the_start_end_as_they_did(
    pace: str | None, since: Literal["ready", "release"]
) -> None:
    """Where nobody is needed the log shows every delay, in whatever time it runs."""
    delay = DelayTable(fitted(lognormal(20.0)), {}, pace, since)
    base = process(row("note", "post", "check"), LAWS)
    nodes = tuple(
        replace(n, delay=delay) if isinstance(n, Task) and n.id == "post" else n for n in base.nodes
    )
    model = replace(
        base, nodes=nodes, paces=(Pace("day", tuple(2.0 if h % 24 >= 12 else 0.0 for h in range(168))),)
    )
    run = played(model, GIVEN, OWN, 6)
    found = history(model, log_of(run, GIVEN), AT, STOP)
    waiting = [p for o in found.state.orders for p in o.positions if p.node == "post" and p.started_s is None]
    assert len(waiting) > 2
    for name, at_s in ends(Replay(found, OWN, 7)).items():
        assert at_s == pytest.approx(found.ended_s[name], abs=1e-3), name
