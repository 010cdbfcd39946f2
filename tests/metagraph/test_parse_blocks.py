"""The block tree that comes back from a graph is the one it was made from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.errors import DataError
from metagraph.nodes import Flow, Gateway, Start
from metagraph.parse_blocks import parse_blocks
from tests.metagraph.strategies import blocks, flattened, plain_metagraph, rough_blocks

A, B = Leaf("a", "A"), Leaf("b", "B")


@given(rough_blocks())
def test_parsing_a_skeleton_gives_the_block_without_what_leaves_no_trace(block: Block) -> None:
    assert parse_blocks(plain_metagraph(block)) == flattened(block)


@given(blocks(some=True))
def test_parsing_a_skeleton_gives_a_normalised_block_back(block: Block) -> None:
    assert parse_blocks(plain_metagraph(block)) == block


def test_every_kind_of_block_is_known() -> None:
    block = Sequence(
        (
            Choice("x", "x_end", (A, Empty())),
            Loop("l", "l_end", Parallel("p", "p_end", (B, Leaf("c", "C"))), (Empty(), Leaf("d", "D"))),
        )
    )
    assert parse_blocks(plain_metagraph(block)) == block


CHOICE = plain_metagraph(Choice("x", "x_end", (A, B)))
LOOP = plain_metagraph(Loop("l", "l_end", A, (B,)))


def test_graphs_that_are_no_blocks_are_refused_by_the_gateway() -> None:
    parallel_merge = tuple(Gateway("x_end", "and_merge") if n.id == "x_end" else n for n in CHOICE.nodes)
    with pytest.raises(
        DataError, match="xor_split x has branches that don't all meet, alone, in one xor_merge"
    ):
        parse_blocks(replace(CHOICE, nodes=parallel_merge))
    backwards = tuple(
        replace(f, target={"end": "b", "b": "end"}[f.target]) if f.source == "l_end" else f
        for f in LOOP.flows
    )
    with pytest.raises(
        DataError, match="loop_end l_end has a flow other than its last that doesn't lead back to l"
    ):
        parse_blocks(replace(LOOP, flows=backwards))
    with pytest.raises(DataError, match="xor_merge x_end closes nothing"):
        parse_blocks(replace(CHOICE, flows=(Flow("f0", "start", "x_end"),)))
    with pytest.raises(DataError, match="task a is reached twice"):
        parse_blocks(replace(CHOICE, flows=(Flow("f0", "start", "a"), Flow("f1", "a", "a"))))
    with pytest.raises(
        DataError, match="loop_start l is entered by flows that don't come from its loop's end"
    ):
        parse_blocks(replace(LOOP, flows=(*LOOP.flows, Flow("z", "end", "l"))))
    with pytest.raises(DataError, match="loop_start l opens a loop that no loop_end closes"):
        parse_blocks(replace(LOOP, flows=(Flow("f0", "start", "l"), Flow("f1", "l", "end"))))
    with pytest.raises(DataError, match="start start has 0 outgoing flows"):
        parse_blocks(replace(CHOICE, flows=()))
    with pytest.raises(DataError, match="plain has no start"):
        parse_blocks(
            replace(CHOICE, nodes=tuple(n for n in CHOICE.nodes if not isinstance(n, Start)), flows=())
        )
