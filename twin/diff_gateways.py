"""How often the ways of choices and loops are taken in two twins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metagraph.blocks import Block, Choice, Loop, Parallel, labels, parts_of
from metagraph.model import Metagraph
from metagraph.routing import Routing
from twin.diff import SMALL, Difference, Test, Verdict, both
from twin.diff_tests import Basis, Logs, counts_test, share_change
from twin.words import few, percent

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

Branch = frozenset[str]
WHOLE = "the whole drawing"
MOST_WAYS = 4
"""Of a choice that are named."""


@dataclass(frozen=True, slots=True)
class _Gateway:
    """A choice, named by where its branches lead."""

    routing: Routing
    of_flow: Mapping[str, Branch]

    def outcomes(self) -> list[frozenset[Branch]]:
        return [frozenset(self.of_flow[flow] for flow in flows) for flows in self.routing.outcomes()]


def gateway_differences(
    models: tuple[Metagraph, Metagraph],
    blocks: tuple[Block, Block],
    basis: Basis,
    logs: Logs | None,
    touched: set[str],
) -> Iterator[Difference]:
    """Choices that both twins have, by their shares; those that only one has, where nothing else says so."""
    old, new = (_found(model, block) for model, block in zip(models, blocks, strict=True))
    for key in sorted(old.keys() & new.keys(), key=_name):
        found = _shares(_name(key), old[key], new[key], basis)
        if found is not None:
            yield found
    for key in sorted(old.keys() ^ new.keys(), key=_name):
        inside = frozenset().union(*key[1:])
        if WHOLE in touched or not touched.isdisjoint(inside) or not inside:
            continue
        told = both(_overall, (old.get(key), new.get(key)))
        tests = [times_test(logs, name) for name in sorted(inside)]
        made = [test for test in tests if test is not None]
        test = min(made, key=lambda t: t.p) if made else None
        if test is not None:
            test = Test(test.name, test.n_before, test.n_after, min(1.0, len(made) * test.p))
        verdict: Verdict = "decided" if basis.same else "untested"
        yield Difference("structure", _name(key), told, test=test, verdict=verdict)


Key = tuple[frozenset[Branch], ...]


def _found(model: Metagraph, block: Block) -> dict[tuple[str, Branch, Branch], _Gateway]:
    """The choices of a twin by kind, the activities among which they choose, and those they lie behind."""
    routings = {routing.node: routing for routing in model.routing}
    outgoing = model.outgoing()
    found: dict[tuple[str, Branch, Branch], _Gateway] = {}

    def walk(part: Block) -> None:
        match part:
            case Choice(split, _, branches) | Parallel(split, _, branches):
                ways: Sequence[Branch] = [labels(branch) for branch in branches]
                node, kind, around = split, type(part).__name__, frozenset[str]()
            case Loop(_, end, body, redos):
                ways = [*(labels(redo) | {"↺"} for redo in redos), frozenset()]
                node, kind, around = end, "Loop", labels(body)
            case _:
                ways, node, kind, around = (), "", "", frozenset()
        if node in routings and len(ways) == len(outgoing[node]):
            of_flow = {flow.id: way for flow, way in zip(outgoing[node], ways, strict=True)}
            inside = frozenset().union(*ways) - {"↺"}
            found.setdefault((f"{kind} {_branches(ways)}", inside, around), _Gateway(routings[node], of_flow))
        for inner in parts_of(part):
            walk(inner)

    walk(block)
    return found


def _branches(ways: Sequence[Branch]) -> str:
    return _few_ways(sorted(_way(way) for way in ways))


def _few_ways(ways: Sequence[str]) -> str:
    """The first few ways of a choice."""
    rest = f" | {len(ways) - MOST_WAYS} more" if len(ways) > MOST_WAYS else ""
    return " | ".join(ways[:MOST_WAYS]) + rest


def _way(way: Branch) -> str:
    names = sorted(way - {"↺"})
    if "↺" in way:
        return f"again through {few(names, 2)}" if names else "again"
    return few(names, 2) if names else "on"


def _name(key: tuple[str, Branch, Branch]) -> str:
    kind, _, around = key
    ways = kind.partition(" ")[2]
    return f"{ways} after {few(sorted(around), 2)}" if around else ways


def _overall(gateway: _Gateway | None) -> str:
    if gateway is None:
        return "no such choice"
    row = gateway.routing.overall()
    told = zip(gateway.outcomes(), row.weights, strict=True)
    return ", ".join(f"{percent(w)} {_taken(outcome)}" for outcome, w in told)


def _taken(outcome: frozenset[Branch]) -> str:
    return " and ".join(sorted(_way(way) for way in outcome)) or "on at once"


def _shares(name: str, old: _Gateway, new: _Gateway, basis: Basis) -> Difference | None:
    """How often each way of a choice is taken; of several the one that changed most is told."""
    rows = both(lambda gateway: gateway.routing.overall(), (old, new))
    first, second = (
        dict(zip(gateway.outcomes(), row.weights, strict=True))
        for gateway, row in zip((old, new), rows, strict=True)
    )
    ways = sorted(first.keys() | second.keys(), key=_taken)
    pairs = [(first.get(way, 0.0), second.get(way, 0.0)) for way in ways]
    most = max(range(len(ways)), key=lambda i: abs(pairs[i][1] - pairs[i][0]))
    was, now = pairs[most]
    told = both(lambda share: f"{percent(share)} {_taken(ways[most])}", (was, now))
    n = float(rows[0].n), float(rows[1].n)
    change = share_change((was, now), n, _taken(ways[most]), basis)
    if min(n) == 0 or basis.same:
        found = Difference("routing", name, told, change, verdict="decided")
        return found if abs(now - was) >= 0.005 else None
    test = counts_test(([w * n[0] for w, _ in pairs], [w * n[1] for _, w in pairs]), basis)
    if test is None and abs(now - was) < SMALL:
        return None
    return Difference("routing", name, told, change, test, note="" if test else "too few decisions to test")


def times_test(logs: Logs | None, activity: str) -> Test | None:
    """Whether closed cases have it never, once or several times as often as before."""
    if logs is None or logs.basis.same:
        return None
    test = counts_test(both(_times, logs.pair, activity), logs.basis)
    return test and replace(test, name=f"{test.name} of how often a case has it")


def _times(snapshot: Snapshot, activity: str) -> tuple[float, float, float]:
    """Closed cases that have an activity never, once, and several times."""
    import numpy as np

    closed = snapshot.n_cases - int(snapshot.is_open.sum())
    if activity not in snapshot.activities:
        return float(closed), 0.0, 0.0
    rows = snapshot.activity == snapshot.activities.index(activity)
    counts = np.bincount(snapshot.case_of_row()[rows], minlength=snapshot.n_cases)[~snapshot.is_open]
    once = int((counts == 1).sum())
    several = int((counts > 1).sum())
    return float(closed - once - several), float(once), float(several)
