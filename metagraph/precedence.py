"""Tasks with predecessors as a task graph: any network without circles, drawn with AND splits and merges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from metagraph.nodes import Flow, Gateway

START, END = "start", "end"


@dataclass(frozen=True, slots=True)
class Precedence:
    """The shape of a network of tasks; its Start and End are `start` and `end`."""

    start: str
    end: str
    gateways: tuple[Gateway, ...]
    flows: tuple[Flow, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an order stands once some tasks are done."""

    open: tuple[str, ...]
    """Tasks that wait or are worked on."""
    merged: Mapping[str, int]
    """Per and_merge: tokens that wait there."""
    early: tuple[str, ...]
    """Tasks that are done although one before them isn't."""


def circle(preds: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Tasks each of which comes after the next, and the last after the first; empty if there are none."""
    left = {task: set(before) for task, before in preds.items()}
    while free := [task for task, before in left.items() if not before & left.keys()]:
        for task in free:
            del left[task]
    if not left:
        return ()
    path = [next(iter(left))]
    while True:
        following = next(before for before in preds[path[-1]] if before in left)
        if following in path:
            return tuple(path[path.index(following) :])
        path.append(following)


def precedence(preds: Mapping[str, Collection[str]]) -> Precedence:
    """The graph of tasks in which each one waits for all its predecessors, which hold no circle.

    Predecessors of predecessors are left out. A task with several is entered through an and_merge, one that
    several wait for is left through an and_split; so are the start and the end.
    """
    before = _nearest(preds)
    after: dict[str, list[str]] = {task: [] for task in preds}
    for task, found in before.items():
        for pred in found:
            after[pred].append(task)
    builder = _Builder({*preds})
    start, end = builder.free(START), builder.free(END)
    sources = [task for task, found in before.items() if not found]
    sinks = [task for task, found in after.items() if not found]
    leaving = {task: builder.split(task, found) for task, found in after.items()}
    entering = {task: builder.merge(task, found) for task, found in before.items()}
    head = builder.split(start, sources)
    tail = builder.merge(end, sinks)
    for task in sources:
        builder.connect(head, entering[task])
    for task, found in after.items():
        for following in found or ():
            builder.connect(leaving[task], entering[following])
    for task in sinks:
        builder.connect(task, tail)
    return Precedence(start, end, tuple(builder.gateways), tuple(builder.flows))


def progress(shape: Precedence, done: Collection[str]) -> Progress:
    """Where the tokens of an order are when these tasks are done."""
    kinds = {gateway.id: gateway.kind for gateway in shape.gateways}
    outgoing: dict[str, list[str]] = {}
    incoming: dict[str, int] = {}
    for flow in shape.flows:
        outgoing.setdefault(flow.source, []).append(flow.target)
        incoming[flow.target] = incoming.get(flow.target, 0) + 1
    merged: dict[str, int] = {}
    reached: list[str] = []
    todo = list(outgoing.get(shape.start, ()))
    while todo:
        node = todo.pop(0)
        if kinds.get(node) == "and_merge":
            merged[node] = merged.get(node, 0) + 1
            if merged[node] < incoming[node]:
                continue
            del merged[node]
        elif node not in kinds and node != shape.end:
            reached.append(node)
            if node not in done:
                continue
        todo += outgoing.get(node, ())
    waiting = tuple(task for task in reached if task not in done)
    return Progress(waiting, merged, tuple(task for task in done if task not in reached))


def _nearest(preds: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """Predecessors without those that another one of them waits for."""
    earlier: dict[str, set[str]] = {}

    def all_before(task: str) -> set[str]:
        todo = [task]
        while todo:
            at = todo[-1]
            missing = [pred for pred in preds[at] if pred not in earlier]
            if missing:
                todo += missing
                continue
            earlier[at] = {*preds[at]}.union(*(earlier[pred] for pred in preds[at]))
            todo.pop()
        return earlier[task]

    for task in preds:
        all_before(task)
    return {
        task: [p for p in dict.fromkeys(found) if not any(p in earlier[other] for other in found)]
        for task, found in preds.items()
    }


class _Builder:
    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.gateways: list[Gateway] = []
        self.flows: list[Flow] = []

    def free(self, name: str) -> str:
        """The name, or one like it that no task has."""
        while name in self.names:
            name += "_"
        self.names.add(name)
        return name

    def connect(self, source: str, target: str) -> None:
        self.flows.append(Flow(f"f{len(self.flows)}", source, target))

    def split(self, node: str, following: Collection[str]) -> str:
        """What flows to all `following` leave from."""
        if len(following) < 2:
            return node
        gateway = self.free(f"after {node}")
        self.gateways.append(Gateway(gateway, "and_split"))
        self.connect(node, gateway)
        return gateway

    def merge(self, node: str, before: Iterable[str]) -> str:
        """What flows from all `before` lead to."""
        if len([*before]) < 2:
            return node
        gateway = self.free(f"before {node}")
        self.gateways.append(Gateway(gateway, "and_merge"))
        self.connect(gateway, node)
        return gateway
