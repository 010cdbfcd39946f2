"""Random structures, snapshots from plain rows, and slow, obvious oracles for what a structure allows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random

import numpy as np
from hypothesis import strategies as st

from discovery.normal_form import EMPTY, children, leaves, may_be_empty, normalised
from discovery.tokens import Decision, Marking
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph import blocks as kinds
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, skeleton

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def rough(max_leaves: int = 8) -> st.SearchStrategy[Block]:
    """Blocks with unique labels, with needless nesting and silent loops, and gateways without ids."""

    def larger(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
        several = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return st.one_of(
            several.map(kinds.Sequence),
            several.map(lambda items: Choice("", "", items)),
            several.map(lambda items: Parallel("", "", items)),
            st.builds(lambda body, redos: Loop("", "", body, redos), inner, several),
        )

    smallest: st.SearchStrategy[Block] = st.just(Leaf("", "")) | st.just(Leaf("", "")) | st.just(EMPTY)
    return st.recursive(smallest, larger, max_leaves=max_leaves).map(_labelled)


def normal(max_leaves: int = 10) -> st.SearchStrategy[Block]:
    """Blocks in normal form."""
    return rough(max_leaves).map(normalised).filter(lambda block: block != EMPTY)


def _labelled(block: Block) -> Block:
    number = count()

    def visit(block: Block) -> Block:
        match block:
            case Empty():
                return block
            case Leaf():
                letter = LETTERS[next(number)]
                return Leaf(f"t_{letter}", letter)
            case kinds.Sequence(items):
                return kinds.Sequence(tuple(map(visit, items)))
            case Choice(_, _, branches):
                return Choice("", "", tuple(map(visit, branches)))
            case Parallel(_, _, branches):
                return Parallel("", "", tuple(map(visit, branches)))
            case Loop(_, _, body, redos):
                return Loop("", "", visit(body), tuple(map(visit, redos)))

    return visit(block)


def one_parse(block: Block) -> bool:
    """Whether every trace that it allows can have come about in only one way (sufficient, not necessary)."""

    def has_loop(block: Block) -> bool:
        return isinstance(block, Loop) or any(map(has_loop, children(block)))

    if isinstance(block, Loop):
        parts = children(block)
        if any(map(has_loop, parts)) or (may_be_empty(block.body) and any(map(may_be_empty, block.redos))):
            return False
        if sum(map(may_be_empty, block.redos)) > 1 or isinstance(block.body, Parallel):
            return False
        if any(isinstance(part, Parallel) for part in _all(block)):
            return False
    if isinstance(block, Choice) and sum(map(may_be_empty, block.branches)) > 1:
        return False
    return all(map(one_parse, children(block)))


def _all(block: Block) -> Iterable[Block]:
    yield block
    for child in children(block):
        yield from _all(child)


def language(block: Block, longest: int) -> frozenset[str]:
    """All traces up to a length, for one-letter labels."""

    def joined(left: Iterable[str], right: Iterable[str]) -> frozenset[str]:
        right = tuple(right)
        return frozenset(x + y for x in left for y in right if len(x + y) <= longest)

    match block:
        case Empty():
            return frozenset({""})
        case Leaf(_, label):
            return frozenset({label} if longest else ())
        case kinds.Sequence(items):
            found = frozenset({""})
            for item in items:
                found = joined(found, language(item, longest))
            return found
        case Choice(_, _, branches):
            return frozenset().union(*(language(branch, longest) for branch in branches))
        case Parallel(_, _, branches):
            found = frozenset({""})
            for branch in branches:
                words = language(branch, longest)
                found = frozenset(
                    word for x in found for y in words if len(x + y) <= longest for word in shuffled(x, y)
                )
            return found
        case Loop(_, _, body, redos):
            found = language(body, longest)
            again = joined(frozenset().union(*(language(redo, longest) for redo in redos)), found)
            while (more := found | joined(found, again)) != found:
                found = more
            return found


def shuffled(x: str, y: str) -> frozenset[str]:
    """All ways to interleave two words."""
    if not x or not y:
        return frozenset({x + y})
    return frozenset(x[0] + rest for rest in shuffled(x[1:], y)) | frozenset(
        y[0] + rest for rest in shuffled(x, y[1:])
    )


@dataclass
class Game:
    """The token game on the graph that a block stands for: each move is drawn, or told."""

    block: Block
    tokens: list[tuple[str, int]] = field(default_factory=list)
    merged: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    visits: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)
    enabled_by: list[int] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        shape = skeleton(self.block)
        self.kind = {gateway.id: gateway.kind for gateway in shape.gateways}
        self.label = dict(shape.tasks)
        self.routing = [gateway.id for gateway in shape.gateways if gateway.routes]
        self.targets: defaultdict[str, list[str]] = defaultdict(list)
        self.incoming: Counter[str] = Counter()
        for flow in shape.flows:
            self.targets[flow.source].append(flow.target)
            self.incoming[flow.target] += 1

    def start(self) -> Game:
        self.arrive(self.targets["start"][0], -1)
        return self

    def resume(self, marking: Marking, done: Sequence[str]) -> Game:
        """Go on from where a replay says that a case stands."""
        self.trace = list(done)
        self.tokens = [(token.node, token.enabled_by) for token in marking.tokens if token.node != "end"]
        self.visits.update(marking.visits)
        for merge, n in marking.merged.items():
            self.merged[merge] = [-1] * n
        return self

    def arrive(self, node: str, by: int) -> None:
        kind = self.kind.get(node)
        if node == "end":
            return
        if kind in (None, "xor_split", "loop_end"):
            self.visits[node] += 1
            self.tokens.append((node, by))
        elif kind == "and_merge":
            self.merged[node].append(by)
            if len(self.merged[node]) == self.incoming[node]:
                self.arrive(self.targets[node][0], max(self.merged.pop(node)))
        else:
            for target in self.targets[node]:
                self.arrive(target, by)

    def move(self, i: int, flow: int) -> None:
        """Do the task that token i stands at, or take a flow of the gateway it stands at."""
        node, by = self.tokens.pop(i)
        if node in self.label:
            self.trace.append(self.label[node])
            self.enabled_by.append(by)
            self.arrive(self.targets[node][0], len(self.trace) - 1)
        else:
            self.decisions.append(Decision(self.routing.index(node), flow, by + 1, self.visits[node]))
            self.arrive(self.targets[node][flow], by)

    def play(self, random: Random, longest: int = 60) -> Game:
        """Play to the end; loops are left and short ways preferred once the trace gets long."""
        while self.tokens:
            i = random.randrange(len(self.tokens))
            node = self.tokens[i][0]
            flows = len(self.targets[node])
            tired = len(self.trace) > longest and self.kind.get(node) == "loop_end"
            self.move(i, flows - 1 if tired else random.randrange(flows))
        return self

    def follow(self, trace: Sequence[str], decisions: Iterable[Decision]) -> bool:
        """Whether these decisions lead through exactly this trace to the end."""
        told: defaultdict[str, list[int]] = defaultdict(list)
        for decision in decisions:
            told[self.routing[decision.gateway]].append(decision.flow)
        for label in (*trace, None):
            while True:
                waiting = next((i for i, (node, _) in enumerate(self.tokens) if node in self.kind), None)
                if waiting is None:
                    break
                flows = told[self.tokens[waiting][0]]
                if not flows:
                    return False
                self.move(waiting, flows.pop(0))
            if label is not None:
                at = [i for i, (node, _) in enumerate(self.tokens) if self.label.get(node) == label]
                if not at:
                    return False
                self.move(at[0], 0)
        return not self.tokens and not any(told.values())


Row = tuple[str, str, float, float | None]
"""Case, activity, start and end in seconds; no end: running."""


def snapshot(rows: Iterable[Row], open_cases: Iterable[str] = ()) -> Snapshot:
    """A snapshot of plain rows, in the order that the historian promises."""
    rows = list(rows)
    first: dict[str, float] = {}
    for case, _, start, _ in rows:
        first[case] = min(start, first.get(case, np.inf))
    cases = sorted(first, key=lambda case: (first[case], case))
    rows.sort(key=lambda row: (cases.index(row[0]), np.inf if row[3] is None else row[3], row[2]))
    activities = sorted({row[1] for row in rows})
    counts = Counter(row[0] for row in rows)
    ends = [np.nan if row[3] is None else row[3] for row in rows]
    return Snapshot(
        name="rows",
        origin=datetime(2026, 1, 5, tzinfo=UTC),
        until_s=max([row[2] for row in rows] + [end for end in ends if end == end], default=0.0),
        cases=tuple(cases),
        activities=tuple(activities),
        resources=(),
        offsets=np.cumsum([0] + [counts[case] for case in cases]).astype(np.int64),
        activity=np.array([activities.index(row[1]) for row in rows], dtype=np.int32),
        resource=np.full(len(rows), NO_RESOURCE, dtype=np.int32),
        start_s=np.array([row[2] for row in rows], dtype=np.float64),
        end_s=np.array(ends, dtype=np.float64),
        is_open=np.array([case in set(open_cases) for case in cases], dtype=np.bool_),
        attributes={},
        single_timestamp=False,
        content_hash="",
    )


def labels(block: Block) -> list[str]:
    return [leaf.label for leaf in leaves(block)]
