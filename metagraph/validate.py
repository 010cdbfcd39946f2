"""Whether a metagraph makes sense: every fault, not the first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from metagraph.check_agents import agent_faults, instant_fault
from metagraph.check_batches import batch_faults
from metagraph.check_graph import graph_faults
from metagraph.check_laws import fitted_faults, shifted_faults
from metagraph.check_orders import order_faults
from metagraph.faults import Fault, refusal, shown
from metagraph.model import SCHEMA_VERSION, Metagraph, Provenance
from metagraph.nodes import Task


def validate(metagraph: Metagraph) -> tuple[Fault, ...]:
    """Every fault; empty for a metagraph that can be simulated."""
    infinite = tuple(_unreal(metagraph, ""))
    if infinite:
        return infinite
    return tuple(
        fault
        for part in (_whole, graph_faults, _tasks, agent_faults, order_faults)
        for fault in part(metagraph)
    )


def check(metagraph: Metagraph, source: str) -> None:
    """Nothing, or a DataError that lists every fault of the twin that came from `source`."""
    faults = validate(metagraph)
    if faults:
        raise refusal(source, faults)


def _unreal(value: Any, where: str) -> Iterator[Fault]:
    """Numbers that are none: no comparison below could be trusted with them."""
    if isinstance(value, float):
        if not math.isfinite(value):
            yield Fault(where, f"{value} is no finite number")
    elif is_dataclass(value):
        for field in fields(value):
            yield from _unreal(getattr(value, field.name), f"{where}, {field.name}" if where else field.name)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unreal(item, f"{where}, {shown(key)}")
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            name = getattr(item, "id", None) or getattr(item, "node", None)
            yield from _unreal(item, f"{where}, {shown(name)}" if name else f"{where}, item {i}")


def _whole(metagraph: Metagraph) -> Iterator[Fault]:
    if metagraph.schema_version != SCHEMA_VERSION:
        yield Fault("schema_version", f"{metagraph.schema_version}; expected {SCHEMA_VERSION}")
    for kind in ("nodes", "flows", "agents", "queues", "calendars", "paces"):
        for name, n in Counter(item.id for item in getattr(metagraph, kind)).items():
            if n > 1:
                yield Fault(kind, f"the id {shown(name)} is used {n} times; ids must differ")
            if not name:
                yield Fault(kind, "an id is empty")
    if metagraph.provenance is not None:
        yield from _provenance(metagraph.provenance)
    for approval in metagraph.approvals:
        yield from _instant(approval.when, f"approval of {approval.who}")


def _provenance(provenance: Provenance) -> Iterator[Fault]:
    for name in ("cases", "events", "open_cases"):
        count = getattr(provenance, name)
        if count < 0:
            yield Fault(f"provenance, {name}", f"{count} is negative")
    yield from _instant(provenance.first_event, "provenance, first_event")
    yield from _instant(provenance.until, "provenance, until")


def _instant(at: datetime, where: str) -> Iterator[Fault]:
    if at.tzinfo is None:
        yield instant_fault(at, where)


def _tasks(metagraph: Metagraph) -> Iterator[Fault]:
    queues = {queue.id for queue in metagraph.queues}
    agents = {agent.id for agent in metagraph.agents}
    paces = {None, *(pace.id for pace in metagraph.paces)}
    for task in metagraph.tasks():
        where = f"task {task.id}"
        if not task.label:
            yield Fault(f"{where}, label", "empty; expected the activity's name in the log")
        for queue, n in Counter(task.queues).items():
            if queue not in queues:
                yield Fault(f"{where}, queues", f"{shown(queue)} is no queue of this twin")
            if n > 1:
                yield Fault(f"{where}, queues", f"{shown(queue)} is listed {n} times")
        if task.cost < 0:
            yield Fault(f"{where}, cost", f"{task.cost} is negative")
        yield from _durations(task, agents, where)
        if task.eta_error is not None:
            yield from shifted_faults(task.eta_error, f"{where}, eta_error")
        yield from batch_faults(task, where)
        if task.delay is not None:
            yield from fitted_faults(task.delay.default, f"{where}, delay")
            if task.delay.pace not in paces:
                yield Fault(f"{where}, delay, pace", f"{shown(task.delay.pace)} is no pace of this twin")
            if task.delay.since == "release" and task.delay.pace is not None:
                yield Fault(
                    f"{where}, delay, pace",
                    f"{shown(task.delay.pace)}, but a delay since the release runs by the wall clock; "
                    'remove the pace, or count the delay since "ready"',
                )
            for activity, fitted in task.delay.after.items():
                yield from fitted_faults(fitted, f"{where}, delay after {shown(activity)}")


def _durations(task: Task, agents: set[str], where: str) -> Iterator[Fault]:
    keys = Counter((row.cls, row.segment, row.agent) for row in task.durations.rows)
    if (None, None, None) not in keys:
        yield Fault(f"{where}, durations", "no row that matches all orders and agents")
    for key, n in keys.items():
        if n > 1:
            named = zip(("class", "segment", "agent"), key, strict=True)
            told = " ".join(f"{part} {shown(value)}" for part, value in named if value is not None)
            yield Fault(
                f"{where}, durations", f"{n} rows for {told or 'all orders and agents'}; expected one"
            )
    for i, row in enumerate(task.durations.rows):
        spot = f"{where}, durations, row {i}"
        if row.agent is not None and row.agent not in agents:
            yield Fault(f"{spot}, agent", f"{shown(row.agent)} is no agent of this twin")
        yield from fitted_faults(row.fitted, spot)
