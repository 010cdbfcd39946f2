"""Gateway graphs as blocks: what blocks say comes back, what they can't say is refused or loosened."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.normal_form import EMPTY, leaves, loop, normalised, numbered, parallel, sequence
from discovery.reduction import GatewayGraph, NotNestedError, reduced
from discovery.replay import Replayer
from metagraph.blocks import Block, Leaf, skeleton
from tests.discovery.structures import language, normal

A, B, C, D, E, F = (Leaf(letter, letter) for letter in "abcdef")


@given(normal(8), st.randoms(use_true_random=False))
def test_what_blocks_say_comes_back(block: Block, random: Random) -> None:
    graph, start, end = drawn(block, random)
    found = numbered(reduced(graph, start, end))
    assert sorted(leaf.label for leaf in leaves(found)) == sorted(leaf.label for leaf in leaves(block))
    assert language(found, 6) == language(block, 6)
    assert normalised(found) == found


def drawn(block: Block, random: Random) -> tuple[GatewayGraph, int, int]:
    """The block's graph with its edges in any order, as if a miner had found it."""
    shape = skeleton(block)
    kinds = {gateway.id: gateway.kind for gateway in shape.gateways}
    graph = GatewayGraph()
    at: dict[str, tuple[int, int]] = {}
    edges: list[tuple[int, int, Block]] = []
    for node in ("start", *kinds, "end"):
        one = graph.node("and" if kinds.get(node, "").startswith("and") else "xor")
        at[node] = one, one
    for node, label in shape.tasks:
        at[node] = graph.node("xor"), graph.node("and")
        edges.append((*at[node], Leaf(node, label)))
    edges += [(at[flow.source][1], at[flow.target][0], EMPTY) for flow in shape.flows]
    random.shuffle(edges)
    for edge in edges:
        graph.edge(*edge)
    return graph, at["start"][0], at["end"][0]


def crossing(last: Block = EMPTY) -> tuple[GatewayGraph, int, int]:
    """A, then B or C; after B come D or E, after C only E; then F."""
    graph = GatewayGraph()
    start, one, b, c, two, end = (graph.node("xor") for _ in range(6))
    graph.edge(start, one, A)
    graph.edge(one, b, B)
    graph.edge(one, c, C)
    graph.edge(b, two, D)
    graph.edge(b, c)
    graph.edge(c, two, E)
    graph.edge(two, end, sequence((F, last)))
    return graph, start, end


def test_crossing_gateways_are_refused_by_the_tasks_between_them() -> None:
    with pytest.raises(NotNestedError, match="nested blocks: b, c, d, e are joined by gateways that cross"):
        reduced(*crossing())


def test_crossing_gateways_leave_any_order_if_that_is_wanted() -> None:
    found = numbered(reduced(*crossing(), any_order=True))
    replayer = Replayer(found)
    assert all(replayer.replay(trace).fits for trace in ("abdf", "abef", "acef"))
    assert not any(replayer.replay(trace).fits for trace in ("bdf", "abd", "af", "abdff", "aabdf"))


def test_a_fork_that_waits_in_the_wrong_place_is_refused() -> None:
    graph = GatewayGraph()
    fork, merge = graph.node("and"), graph.node("xor")
    start, end = graph.node("xor"), graph.node("xor")
    graph.edge(start, fork)
    graph.edge(fork, merge, A)
    graph.edge(fork, merge, B)
    graph.edge(merge, end)
    with pytest.raises(NotNestedError, match="a, b"):
        reduced(graph, start, end)
    assert numbered(reduced(graph, start, end, any_order=True)).__class__.__name__ == "Loop"


def test_what_leads_nowhere_is_named() -> None:
    graph, start, end = crossing()
    graph.edge(start, graph.node("xor"), Leaf("g", "g"))
    with pytest.raises(NotNestedError, match="g can't be reached, or lead nowhere"):
        reduced(graph, start, end)


def test_a_loop_that_is_left_before_its_body() -> None:
    graph = GatewayGraph()
    start, gate, end = (graph.node("xor") for _ in range(3))
    graph.edge(start, gate, A)
    graph.edge(gate, gate, parallel((B, C)))
    graph.edge(gate, end, D)
    found = reduced(graph, start, end)
    assert language(found, 6) == {"ad", "abcd", "acbd", "abcbcd", "abccbd", "acbbcd", "acbcbd"}
    assert numbered(found) == numbered(sequence((A, loop(EMPTY, (parallel((B, C)),)), D)))
