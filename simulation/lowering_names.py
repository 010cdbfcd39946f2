"""Names in a metagraph and the indices and codes that stand for them in a Network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metagraph.model import Metagraph
from simulation.kept import Kept
from simulation.program import PADDING


@dataclass(frozen=True, slots=True)
class Names:
    """Indices of nodes, agents, queues, activities and tasks; codes of activities, classes and segments."""

    nodes: Mapping[str, int]
    agents: Mapping[str, int]
    queues: Mapping[str, int]
    labels: Mapping[str, int]
    codes: Mapping[str, int]
    classes: Mapping[str, int]
    segments: Mapping[str, int]
    tasks: Mapping[str, int]

    @property
    def base(self) -> int:
        """Number of codes of activities."""
        return len(self.codes) + 1


_kept: Kept[Names] = Kept(16)


def names_of(metagraph: Metagraph) -> Names:
    """The names of a metagraph; kept for those who ask again."""
    return _kept.get((metagraph,), None, lambda: _names(metagraph))


def _names(metagraph: Metagraph) -> Names:
    labels = {label: i for i, label in enumerate(dict.fromkeys(t.label for t in metagraph.tasks()))}
    codes = {"": PADDING}
    for label in (*labels, *_known_histories(metagraph)):
        codes.setdefault(label, len(codes) + 1)
    return Names(
        nodes={node.id: i for i, node in enumerate(metagraph.nodes)},
        agents={agent.id: i for i, agent in enumerate(metagraph.agents)},
        queues={queue.id: i for i, queue in enumerate(metagraph.queues)},
        labels=labels,
        codes=codes,
        classes=_codes(metagraph, "cls"),
        segments=_codes(metagraph, "segment"),
        tasks={task.id: i for i, task in enumerate(metagraph.tasks())},
    )


def _codes(metagraph: Metagraph, part: str) -> dict[str, int]:
    """Codes from 1 on of the classes (or segments) that the metagraph names; all others are alike."""
    names: dict[str, None] = {}
    for task in metagraph.tasks():
        names |= dict.fromkeys(
            n for n in (getattr(row, part) for row in task.durations.rows) if n is not None
        )
    for routing in metagraph.routing:
        for row in routing.rows:
            level = routing.levels[row.level]
            if getattr(level, part):
                names[row.key[1 if part == "segment" and level.cls else 0]] = None
    names |= dict.fromkeys(getattr(kind, part) for kind in metagraph.orders.classes)
    if part == "segment":
        names |= dict.fromkeys(metagraph.orders.segment_priority)
    return {name: i + 1 for i, name in enumerate(names)}


def _known_histories(metagraph: Metagraph) -> Iterable[str]:
    for task in metagraph.tasks():
        yield from task.delay.after if task.delay else ()
    for routing in metagraph.routing:
        for row in routing.rows:
            history = routing.levels[row.level].history
            yield from row.key[-history:] if history else ()
