"""What an analyst knows better than the data: applied after every calibration, marked, and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.graph_edits import free_id, known, noted, relabelled, task_of, with_task, without_task
from calibration.routing_override import set_routing
from calibration.rules_override import Observed, RuleByHand, set_rules
from calibration.scaling import scaled_table
from metagraph.agents import Queue
from metagraph.calendars import Calendar
from metagraph.captions import human_time
from metagraph.distributions import Constant, Distribution, Fitted, Parametric
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task


@dataclass(frozen=True, slots=True)
class SetAgents:
    """Who may do an activity."""

    activity: str
    agents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetDuration:
    """How long an activity takes: a law for everybody, or a mean to which the fitted laws are scaled."""

    activity: str
    law: Distribution | None = None
    mean_s: float | None = None


@dataclass(frozen=True, slots=True)
class SetPreemptible:
    """Whether more urgent work may interrupt an activity."""

    activity: str
    preemptible: bool


@dataclass(frozen=True, slots=True)
class SetHours:
    """When an agent works: open intervals in seconds since Monday 00:00 in its calendar's zone."""

    agent: str
    hours: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class SetRouting:
    """Probabilities of a gateway's branches, whatever the order did before. A branch is named by its flow or
    by the task (activity or id) or gateway it leads to; the branches left out share the rest as before."""

    gateway: str
    weights: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class SetRules:
    """The business rules of a gateway, in the order in which they are asked; none: as over all orders."""

    gateway: str
    rules: tuple[RuleByHand, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """An activity that is no longer done: its neighbours are connected to each other."""

    activity: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Another name for an activity."""

    activity: str
    name: str


OverrideSpec = SetAgents | SetDuration | SetPreemptible | SetHours | SetRouting | SetRules | Drop | Rename
_ORDER = (SetAgents, SetDuration, SetPreemptible, SetHours, SetRouting, SetRules, Drop, Rename)

MATERIAL = 0.2
"""A mean that differs from the data's by a larger share contradicts them."""


def apply_overrides(
    metagraph: Metagraph, overrides: Sequence[OverrideSpec], observed: Observed | None = None
) -> Metagraph:
    """The metagraph with these overrides, each noted in `metagraph.overrides` with what the data say instead
    where they disagree; what they say of business rules is asked of `observed`.

    All names are those before any renaming. Raises DataError for an activity, agent, gateway or branch that
    isn't there, naming the nearest that are, and for values that can't be meant.
    """
    for spec in sorted(overrides, key=lambda o: _ORDER.index(type(o))):
        metagraph = _apply(metagraph, spec, observed)
    return metagraph


def _apply(graph: Metagraph, spec: OverrideSpec, observed: Observed | None) -> Metagraph:
    match spec:
        case SetAgents():
            return _set_agents(graph, spec)
        case SetDuration():
            return _set_duration(graph, spec)
        case SetPreemptible():
            task = replace(task_of(graph, spec.activity), preemptible=spec.preemptible)
            if spec.preemptible and task.batch is not None and task.batch.kind == "simultaneous":
                task = replace(task, batch=None)
            return noted(
                with_task(graph, task), f"activity {spec.activity}", "preemptible", str(spec.preemptible)
            )
        case SetHours():
            return _set_hours(graph, spec)
        case SetRouting():
            return set_routing(graph, spec.gateway, spec.weights)
        case SetRules():
            return set_rules(graph, spec.gateway, spec.rules, observed)
        case Drop():
            task = task_of(graph, spec.activity)
            n = task.durations.default.n
            dropped = without_task(graph, task)
            said = f"it was done {n} times in the log" if n else ""
            return noted(dropped, f"activity {spec.activity}", "drop", "dropped", said)
        case Rename():
            task = task_of(graph, spec.activity)
            if any(t.label == spec.name and t.id != task.id for t in graph.tasks()):
                raise DataError(
                    f"[overrides] activity {spec.activity}: {spec.name} is another activity's name"
                )
            return noted(relabelled(graph, task, spec.name), f"activity {spec.activity}", "name", spec.name)


def _set_agents(graph: Metagraph, spec: SetAgents) -> Metagraph:
    task = task_of(graph, spec.activity)
    for name in spec.agents:
        known(name, (a.id for a in graph.agents), "agent", f"activity {spec.activity}")
    if not spec.agents:
        raise DataError(
            f"[overrides] activity {spec.activity}: nobody is named as its agents; name at least one"
        )
    seen = _agent_shares(graph, task)
    weights = np.array([seen.get(name, 0.0) for name in spec.agents])
    # Whom the log never saw at this task gets as much of it as the others do on average.
    weights[weights == 0] = weights[weights > 0].mean() if weights.any() else 1.0
    queue_id = free_id(f"{task.label} (set by hand)", (q.id for q in graph.queues))
    rules = {q.priority for q in graph.queues if q.id in task.queues}
    queue = Queue(queue_id, spec.agents, tuple((weights / weights.sum()).tolist()))
    if len(rules) == 1:
        queue = replace(queue, priority=rules.pop())
    changed = with_task(graph, replace(task, queues=(queue_id,)))
    used = {q for t in changed.tasks() for q in t.queues}
    queues = tuple(q for q in (*graph.queues, queue) if q.id in used)
    others = {name: share for name, share in seen.items() if name not in spec.agents}
    said = ""
    if sum(others.values()) > 0.05:
        most = max(others, key=lambda name: others[name])
        said = f"{sum(others.values()):.0%} of it was done by others in the log, most by {most}"
    where = f"activity {spec.activity}"
    return noted(replace(changed, queues=queues), where, "agents", ", ".join(spec.agents), said)


def _agent_shares(graph: Metagraph, task: Task) -> Mapping[str, float]:
    shares: dict[str, float] = {}
    for queue in graph.queues:
        if queue.id in task.queues:
            weights = queue.weights or (1 / len(queue.agents),) * len(queue.agents)
            for name, weight in zip(queue.agents, weights, strict=True):
                shares[name] = shares.get(name, 0.0) + weight / len(task.queues)
    return shares


def _set_duration(graph: Metagraph, spec: SetDuration) -> Metagraph:
    task = task_of(graph, spec.activity)
    where = f"activity {spec.activity}"
    pooled = task.durations.default
    observed = pooled.law.mean()
    if (spec.law is None) == (spec.mean_s is None):
        raise DataError(f"[overrides] {where}: give its duration either as a law or as a mean")
    if spec.law is not None:
        mean = _checked_mean(spec.law, where)
        law = Fitted(spec.law, 0, "human", observed=pooled.observed, note="set by hand")
        table = DurationTable((DurationRow(law),))
        value = _law_words(spec.law)
    else:
        mean = float(spec.mean_s or 0.0)
        if observed <= 0:
            raise DataError(
                f"[overrides] {where}: its work takes no time in the log and can't be scaled; give a constant"
            )
        table = scaled_table(task.durations, mean / observed)
        value = f"mean {human_time(mean)}"
    said = ""
    if pooled.n and abs(mean - observed) > MATERIAL * max(observed, 1.0):
        said = f"the log's mean is {human_time(observed)} over n = {pooled.n}, not {human_time(mean)}"
    return noted(with_task(graph, replace(task, durations=table)), where, "duration", value, said)


def _checked_mean(law: Distribution, where: str) -> float:
    try:
        mean = float(law.mean())
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(
            f"[overrides] {where}: {_law_words(law)} is no law of scipy.stats ({error})"
        ) from error
    if not np.isfinite(mean) or mean < 0:
        raise DataError(
            f"[overrides] {where}: {_law_words(law)} has the mean {mean}; expected a time of 0 or more"
        )
    return mean


def _law_words(law: Distribution) -> str:
    match law:
        case Constant(value):
            return f"constant {human_time(value)}"
        case Parametric(family, params):
            return f"{family}({', '.join(f'{p:g}' for p in params)}) seconds"
        case _:
            return f"{law.kind}, mean {human_time(law.mean())}"


def _set_hours(graph: Metagraph, spec: SetHours) -> Metagraph:
    where = f"agent {spec.agent}"
    known(spec.agent, (a.id for a in graph.agents), "agent")
    agent = next(a for a in graph.agents if a.id == spec.agent)
    if not spec.hours:
        raise DataError(f"[overrides] {where}: its calendar has no hours; give at least one interval")
    old = next(c for c in graph.calendars if c.id == agent.calendar)
    name = free_id(f"{agent.id} (set by hand)", (c.id for c in graph.calendars))
    # Hours say nothing of holidays; but they say when the agent comes, so that nothing is drawn any more.
    new = Calendar(name, spec.hours, old.time_zone, old.holidays, old.exceptions, "set by hand")
    hers = replace(agent, calendar=name, presence=1.0)
    agents = tuple(hers if a.id == agent.id else a for a in graph.agents)
    used = {a.calendar for a in agents}
    calendars = tuple(c for c in (*graph.calendars, new) if c.id in used)
    lost_h = (_seconds(old.hours) - _overlap(old.hours, spec.hours)) / 3600
    said = ""
    if lost_h > 0.05 * old.weekly_hours() and not old.always_open:
        said = f"in the log it also worked in {lost_h:.1f} hours of the week outside of these"
    value = f"{new.weekly_hours():g} hours a week"
    return noted(replace(graph, agents=agents, calendars=calendars), where, "calendar", value, said)


def _seconds(hours: Sequence[tuple[float, float]]) -> float:
    return sum(end - start for start, end in hours)


def _overlap(a: Sequence[tuple[float, float]], b: Sequence[tuple[float, float]]) -> float:
    return sum(max(min(e, f) - max(s, t), 0.0) for s, e in a for t, f in b)
