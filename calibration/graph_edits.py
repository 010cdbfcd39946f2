"""Small changes to a calibrated graph that leave the rest consistent."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from metagraph.errors import DataError
from metagraph.model import Metagraph, Override
from metagraph.nodes import Task
from metagraph.routing import Routing

_T = TypeVar("_T")


def task_of(graph: Metagraph, activity: str) -> Task:
    """The task of an activity, or a DataError with the nearest names."""
    known(activity, (t.label for t in graph.tasks()), "activity")
    return next(t for t in graph.tasks() if t.label == activity)


def known(name: str, names: Iterable[str], what: str, where: str = "") -> None:
    """Raise a DataError with the nearest names unless the name is one of them."""
    names = sorted(names)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:3]
        told = f"{where}: " if where else ""
        raise DataError(
            f"[overrides] {told}there is no {what} {name!r}; the nearest known: {', '.join(near) or 'none'}"
        )


def free_id(wanted: str, taken: Iterable[str]) -> str:
    """The wanted id, or with a number if it is taken."""
    names = set(taken)
    return next(n for n in (wanted, *(f"{wanted} {k}" for k in range(2, len(names) + 3))) if n not in names)


def noted(graph: Metagraph, target: str, field: str, value: str, said: str = "") -> Metagraph:
    """The graph with one more note of what was set by hand, and what the data say instead."""
    return replace(graph, overrides=(*graph.overrides, Override(target, field, value, said)))


def with_task(graph: Metagraph, task: Task) -> Metagraph:
    """The graph with the task of this id replaced."""
    return replace(graph, nodes=tuple(task if n.id == task.id else n for n in graph.nodes))


def without_task(graph: Metagraph, task: Task) -> Metagraph:
    """The graph without a task: the flow that led to it leads on to its successor, and what was known only
    of histories with it is forgotten."""
    onward = next(f for f in graph.flows if f.source == task.id)
    flows = tuple(
        replace(f, target=onward.target) if f.target == task.id else f for f in graph.flows if f is not onward
    )
    nodes = tuple(_task_after(n, task.label, None) if isinstance(n, Task) else n for n in graph.nodes)
    used = {q for n in nodes if isinstance(n, Task) and n.id != task.id for q in n.queues}
    return replace(
        graph,
        nodes=tuple(n for n in nodes if n.id != task.id),
        flows=flows,
        routing=tuple(_routing_after(r, task.label, None) for r in graph.routing),
        queues=tuple(q for q in graph.queues if q.id in used),
    )


def relabelled(graph: Metagraph, task: Task, label: str) -> Metagraph:
    """The graph with another name for a task's activity, also where histories and endings mention it."""
    nodes = tuple(_task_after(n, task.label, label) if isinstance(n, Task) else n for n in graph.nodes)
    closing = graph.closing
    if closing is not None:
        names = {task.label: label}
        closing = replace(
            closing,
            end_activities=_moved(closing.end_activities, task.label, label),
            idle_after_s=_moved(closing.idle_after_s, task.label, label),
            endings=tuple(
                replace(ending, after=tuple(names.get(name, name) for name in ending.after))
                for ending in closing.endings
            ),
        )
    changed = replace(
        graph,
        nodes=nodes,
        routing=tuple(_routing_after(r, task.label, label) for r in graph.routing),
        closing=closing,
    )
    return with_task(changed, replace(next(t for t in changed.tasks() if t.id == task.id), label=label))


def _moved(table: Mapping[str, _T], old: str, new: str | None) -> dict[str, _T]:
    out = {key: value for key, value in table.items() if key != old}
    return {**out, new: table[old]} if new is not None and old in table else out


def _task_after(task: Task, old: str, new: str | None) -> Task:
    if task.delay is None or old not in task.delay.after:
        return task
    return replace(task, delay=replace(task.delay, after=_moved(task.delay.after, old, new)))


def _routing_after(routing: Routing, old: str, new: str | None) -> Routing:
    """Rows whose history mentions the old label are renamed, or left out if it is gone."""
    rows = []
    for row in routing.rows:
        length = routing.levels[row.level].history
        front, history = row.key[: len(row.key) - length], row.key[len(row.key) - length :]
        if old not in history:
            rows.append(row)
        elif new is not None:
            rows.append(replace(row, key=(*front, *(new if label == old else label for label in history))))
    return replace(routing, rows=tuple(rows))
