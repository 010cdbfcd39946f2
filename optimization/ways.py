"""One way of an order through its process: what is done after what, once all choices are known."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metagraph.nodes import Task
from optimization.token_net import END, JOIN, MERGE, ROUTE, SOME, TASK, TokenNet


@dataclass(frozen=True, slots=True)
class Execution:
    """A task done once."""

    node: int
    causes: frozenset[int]
    """Executions that must be over before, whichever others must be before those; indices below its own."""
    after: str
    """The activity completed last before it; '' at the start."""
    place: int | None
    """Which of the order's tokens stands there now."""


def executions(
    net: TokenNet,
    places: Sequence[tuple[int, str]],
    merged: Sequence[int],
    choices: Mapping[int, Sequence[int]],
) -> list[Execution]:
    """What is done from these places on (node, and the activity done before it), each after its causes.

    `merged` as in Standing. A way whose choices end is left there.
    """
    found: list[Execution] = []
    arrived = list(merged)
    waiting: dict[int, frozenset[int]] = {}
    left = {node: deque(taken) for node, taken in choices.items()}
    todo: deque[tuple[int, frozenset[int], str, int | None]] = deque(
        (node, frozenset[int](), after, i) for i, (node, after) in enumerate(places)
    )
    while todo:
        here, causes, after, place = todo.popleft()
        kind = net.kind[here]
        targets: Sequence[int] = net.targets[here]
        if kind == END:
            continue
        if kind == TASK:
            found.append(Execution(here, causes, after, place))
            task = net.nodes[here]
            assert isinstance(task, Task)
            causes, after = frozenset((len(found) - 1,)), task.label
        elif kind in (ROUTE, SOME):
            if not left.get(here):
                continue
            targets = net.outcomes[here][left[here].popleft()]
            if kind == SOME:
                arrived[net.merge[net.joins[here]]] = len(targets)
        elif kind in (MERGE, JOIN):
            causes = waiting.pop(here, frozenset()) | causes
            if not _all_came(net, here, kind, arrived):
                waiting[here] = causes
                continue
        todo.extend((target, causes, after, None) for target in targets)
    return found


def _all_came(net: TokenNet, here: int, kind: int, arrived: list[int]) -> bool:
    column = net.merge[here]
    if kind == MERGE:
        arrived[column] = (arrived[column] + 1) % net.need[here]
    else:
        arrived[column] = max(arrived[column] - 1, 0)
    return arrived[column] == 0


def predecessors(made: Sequence[Execution], first: Sequence[int]) -> list[tuple[int, ...]]:
    """For each of the executions `first`, which of them must be over before: the nearest ones, as indices
    into `first`."""
    ancestors: list[set[int]] = []
    for execution in made:
        ancestors.append(set(execution.causes).union(*(ancestors[i] for i in execution.causes)))
    number = {execution: i for i, execution in enumerate(first)}
    before = [{number[a] for a in ancestors[execution] if a in number} for execution in first]
    return [
        tuple(sorted(i for i in mine if not any(i in before[other] for other in mine))) for mine in before
    ]
