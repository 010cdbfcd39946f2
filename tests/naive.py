"""Obvious oracles: slow or simple forms of what the program does, for tests to hold it against."""

from __future__ import annotations

from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, Sequence


def canonical(block: Block) -> object:
    """The block without ids and without the order of its branches."""
    match block:
        case Leaf(_, label):
            return label
        case Empty():
            return ""
        case Sequence(items):
            return ("then", *(canonical(item) for item in items))
        case Choice(_, _, branches):
            return ("one of", *sorted((canonical(b) for b in branches), key=repr))
        case Parallel(_, _, branches):
            return ("all of", *sorted((canonical(b) for b in branches), key=repr))
        case Loop(_, _, body, redos):
            return ("again", canonical(body), *sorted((canonical(r) for r in redos), key=repr))
