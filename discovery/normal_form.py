"""Block trees in normal form: no redundant nesting, no passes through a loop that do nothing, ids in
reading order.

The constructors keep the language (the set of traces) of what they are given. They leave the gateways'
ids empty; `numbered` fills them in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from metagraph import blocks
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel

EMPTY = Empty()


def sequence(items: Iterable[Block]) -> Block:
    """One after the other, without nested sequences and empty items."""
    flat: list[Block] = []
    for item in items:
        if isinstance(item, blocks.Sequence):
            flat.extend(item.items)
        elif item != EMPTY:
            flat.append(item)
    if len(flat) > 1:
        return blocks.Sequence(tuple(flat))
    return flat[0] if flat else EMPTY


def choice(branches: Iterable[Block]) -> Block:
    """One of the branches, without nested choices; at most one is empty, and that one is the last."""
    flat = _alternatives(branches)
    return Choice("", "", flat) if len(flat) > 1 else flat[0]


def parallel(branches: Iterable[Block]) -> Block:
    """All branches in any order, without nested parallels and empty branches."""
    flat: list[Block] = []
    for branch in branches:
        if isinstance(branch, Parallel):
            flat.extend(branch.branches)
        elif branch != EMPTY:
            flat.append(branch)
    if len(flat) > 1:
        return Parallel("", "", tuple(flat))
    return flat[0] if flat else EMPTY


def loop(body: Block, redos: Iterable[Block]) -> Block:
    """The body, then any number of times one redo and the body.

    With B the body and R the redos, these identities are applied: B = X(QX)* gives X((Q|R)X)*; if B is
    empty, or B and one of R may be, B(RB)* = (B|R)*, which is a choice between nothing and at least one.
    """
    alternatives = _alternatives(redos)
    if isinstance(body, Loop):
        return loop(body.body, body.redos + alternatives)
    silent = any(may_be_empty(redo) for redo in alternatives)
    if body == EMPTY or (silent and may_be_empty(body)):
        repeated = _repeated(choice((body, *alternatives)))
        return choice((Loop("", "", choice(repeated), (EMPTY,)), EMPTY)) if repeated else EMPTY
    if alternatives == (EMPTY,):
        return Loop("", "", choice(_repeated(body)), alternatives)
    return Loop("", "", body, alternatives)


def may_be_empty(block: Block) -> bool:
    """Whether a case can pass through it without doing anything."""
    match block:
        case Leaf():
            return False
        case Empty():
            return True
        case Choice(_, _, branches):
            return any(may_be_empty(branch) for branch in branches)
        case Loop(_, _, body, _):
            return may_be_empty(body)
        case _:
            return all(may_be_empty(child) for child in children(block))


def children(block: Block) -> tuple[Block, ...]:
    """The blocks directly below; a loop's body before its redos."""
    match block:
        case Leaf() | Empty():
            return ()
        case blocks.Sequence(items):
            return items
        case Choice(_, _, branches) | Parallel(_, _, branches):
            return branches
        case Loop(_, _, body, redos):
            return (body, *redos)


def leaves(block: Block) -> Iterator[Leaf]:
    """Its tasks in reading order."""
    if isinstance(block, Leaf):
        yield block
    for child in children(block):
        yield from leaves(child)


def rebuilt(block: Block, parts: Sequence[Block]) -> Block:
    """The same kind of block over other children, in normal form but for its ids."""
    match block:
        case Leaf() | Empty():
            return block
        case blocks.Sequence():
            return sequence(parts)
        case Choice():
            return choice(parts)
        case Parallel():
            return parallel(parts)
        case Loop():
            return loop(parts[0], parts[1:])


def normalised(block: Block) -> Block:
    """The normal form of any block, numbered."""
    return numbered(_bare(block))


def numbered(block: Block) -> Block:
    """The same tree with gateway ids in reading order: `xor1`, `xor1_end`, `and1`, `loop1`, …

    Ids that tasks already bear are passed over.
    """
    return _Numbering({leaf.node for leaf in leaves(block)}).apply(block)


def _bare(block: Block) -> Block:
    return rebuilt(block, [_bare(child) for child in children(block)])


def _alternatives(branches: Iterable[Block]) -> tuple[Block, ...]:
    """Branches of nested choices lifted, one empty branch at most, that one last."""
    flat: list[Block] = []
    for branch in branches:
        flat.extend(branch.branches if isinstance(branch, Choice) else (branch,))
    filled = [branch for branch in flat if branch != EMPTY]
    return (*filled, EMPTY) if len(filled) < len(flat) else tuple(filled)


def _repeated(block: Block) -> list[Block]:
    """Blocks p1, p2, … with (p1|p2|…)* equal to block*, as small as can be told from the structure.

    None of them may be empty, except for parallels with branches of several tasks.
    """
    match block:
        case Empty():
            return []
        case Choice(_, _, branches):
            parts = branches
        case Loop(_, _, body, (Empty(),)):
            parts = (body,)
        case Loop(_, _, body, redos) if may_be_empty(body):
            parts = (body, *redos)
        case blocks.Sequence(items) if may_be_empty(block):
            parts = items
        case Parallel(_, _, branches) if may_be_empty(block):
            small = [part for branch in branches for part in _repeated(branch)]
            # A branch of several tasks can be interrupted by another: no choice says that.
            return small if all(isinstance(part, Leaf) for part in small) else [block]
        case _:
            return [block]
    return [small for part in parts for small in _repeated(part)]


class _Numbering:
    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._last = {"xor": 0, "and": 0, "loop": 0}

    def apply(self, block: Block) -> Block:
        match block:
            case Leaf() | Empty():
                return block
            case blocks.Sequence(items):
                return blocks.Sequence(tuple(map(self.apply, items)))
            case Choice(_, _, branches):
                return Choice(*self._pair("xor"), tuple(map(self.apply, branches)))
            case Parallel(_, _, branches):
                return Parallel(*self._pair("and"), tuple(map(self.apply, branches)))
            case Loop(_, _, body, redos):
                return Loop(*self._pair("loop"), self.apply(body), tuple(map(self.apply, redos)))

    def _pair(self, kind: str) -> tuple[str, str]:
        """The next free pair of ids of this kind."""
        while True:
            self._last[kind] += 1
            opening = f"{kind}{self._last[kind]}"
            pair = (opening, f"{opening}_end")
            if self._taken.isdisjoint(pair):
                return pair
