"""Two engines, one case: everything that can be seen of a run, and where two of them differ first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import zip_longest
from math import inf
from types import ModuleType
from typing import Any

import numpy as np

from metagraph.errors import DataError
from simulation import kernel, reference
from simulation.program import Program
from simulation.run import Run
from simulation.session import WORKING, Session, Snapshot
from tests.simulation.ingredients import HOUR
from tests.simulation.programs import Case, Stop
from tests.simulation.states import equal, state_of

Facts = Mapping[str, Any]


def difference(case: Case) -> str:
    """Where the engines' runs of a case differ, or a run differs from itself paused; '' if nowhere."""
    case = begun_from_a_pause(case)
    program = case.program()
    if kernel.refusal(program, case.options):
        return f"the kernel refuses the program: {kernel.refusal(program, case.options)}"
    seen = [list(observed(engine, program, case)) for engine in (reference, kernel)]
    for one, other in zip_longest(*seen, fillvalue=("nothing", {})):
        if one[0] != other[0]:
            return f"the reference shows {one[0]} {dict(one[1])}, the kernel {other[0]} {dict(other[1])}"
        found = first_difference(one[1], other[1])
        if found:
            return f"{one[0]}: {found} (reference, kernel)"
    return uninterrupted(seen[0]) or uninterrupted(seen[1])


def begun_from_a_pause(case: Case) -> Case:
    """The case that goes on from where the reference engine is when it is paused, if it is to be paused."""
    if case.paused_s is None:
        return case
    session = reference.session(case.program(), case.seed + 1, case.replication)
    session.run_to(case.paused_s)
    state = state_of(session, case.orders)
    later = tuple(order for order in case.orders if order.release_s > state.at_s)
    return replace(case, state=state, orders=later, paused_s=None)


def observed(engine: ModuleType, program: Program, case: Case) -> Iterator[tuple[str, Facts]]:
    """All that can be seen while one engine runs the case; ('error', ...) is the last where it raises."""
    try:
        yield from watched(engine, program, case)
    except DataError as error:
        yield "error", {"says": str(error)}


def watched(engine: ModuleType, program: Program, case: Case) -> Iterator[tuple[str, Facts]]:
    """The run paused, looked at, steered and forked as the case says; then in one piece."""
    session: Session = engine.session(program, case.seed, case.replication, case.options)
    until_s = case.horizon_s(program)
    last_s = inf if until_s is None else until_s
    forks: list[tuple[int, Session]] = []
    stops = [stop for stop in case.stops if stop.at_s <= last_s]
    steered = max((i for i, stop in enumerate(stops) if stop.steer), default=-1)
    for i, stop in enumerate(stops):
        ahead = session.fork()
        ahead.run_to(last_s)
        if ahead.now_s < stop.at_s:
            break  # a run that is paused after its last event is counted up to there
        more = session.run_to(stop.at_s, pause_on_release=stop.number % 5 == 4)
        yield f"stop {i}", {"more": more, "now": session.now_s, "next": session.next_s()}
        yield f"snapshot {i}", facts(session.snapshot())
        if stop.number % 3 == 1:
            yield f"result {i}", facts(session.result(session.now_s))
        forks.append((i, session.fork()))
        if stop.number % 2:  # whatever the copy does must not be felt by the original
            forks[-1][1].run_to(last_s)
        if more and stop.steer:
            yield f"steered {i}", steer(session, stop)
    session.run_to(last_s)
    yield f"end after steering {steered}", facts(counted(session, until_s))
    for i, fork in forks:
        fork.run_to(last_s)
        yield f"fork {i}", facts(counted(fork, until_s))
    whole: Run = engine.run(program, case.seed, case.replication, until_s, case.options)
    yield "in one piece", facts(whole)


def counted(session: Session, until_s: float | None) -> Run:
    """What `run` gives at the end or horizon; a run that a limit stopped is counted up to there."""
    found = session.result()
    return found if found.stopped in ("executions", "open orders") else session.result(until_s)


def steer(session: Session, stop: Stop) -> Facts:
    """Announce an end to one of the items that nobody works on, or give new ranks."""
    program, found = session.program, session.snapshot()
    if stop.steer == "reschedule":
        ranks, assigned = other_ranks(program, stop.number)
        session.reschedule(ranks, assigned)
        return {"snapshot": found.at_s, **facts(session.snapshot())}
    free = (found.items["status"] != WORKING) | (found.items["agent"] < 0)
    items = found.items[free & (program.network.nodes["batch"][found.items["node"]] < 0)]
    if len(items):
        item = items[stop.number % len(items)]
        session.announce(int(item["order"]), int(item["node"]), found.at_s + (stop.number % 7 - 1) * HOUR / 2)
    return facts(session.snapshot())


def other_ranks(program: Program, number: int) -> tuple[Any, Any]:
    """Ranks with ties, some infinite; and queues, some of them none."""
    network, rng = program.network, np.random.default_rng(number)
    ranks = rng.choice([0.0, 1.0, 2.0, inf], (len(program.orders), network.tasks))
    assigned = np.full(ranks.shape, -1, np.int32)
    for node in network.nodes[network.nodes["task"] >= 0]:
        options = network.task_queues[node["queue"] : node["queue"] + node["queues"]]
        assigned[:, node["task"]] = rng.choice([-1, *options], len(program.orders))
    return ranks, assigned


def facts(value: Run | Snapshot) -> Facts:
    """Every field, those of parts by path."""
    found: dict[str, Any] = {}
    for field in fields(value):
        part = getattr(value, field.name)
        if field.name in ("program", "engine"):
            continue
        if is_dataclass(part) and not isinstance(part, type):
            found |= {f"{field.name}.{f.name}": getattr(part, f.name) for f in fields(part)}
        else:
            found[field.name] = part
    return found


def first_difference(one: Facts, other: Facts) -> str:
    for name in one:
        if not equal(one[name], other.get(name)):
            return f"{name} is {one[name]!r} and {other.get(name)!r}"
    return ""


def uninterrupted(seen: list[tuple[str, Facts]]) -> str:
    """Pausing, looking and forking change nothing: forks after the last steering end as their original."""
    ends = {name: found for name, found in seen if name.startswith(("end", "fork", "in one"))}
    end = next((name for name in ends if name.startswith("end")), None)
    if end is None:
        return ""
    steered = int(end.split()[-1])
    for name, found in ends.items():
        same = name == "in one piece" and steered < 0
        same |= name.startswith("fork") and int(name.split()[-1]) > steered
        differs = first_difference(ends[end], found) if same else ""
        if differs:
            return f"the run paused on its way and {name} differ: {differs}"
    return ""
